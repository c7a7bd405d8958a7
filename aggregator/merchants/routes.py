"""Shops over HTTP: suggestions for a typed word, and a country's list for suggesting without a network."""

import asyncio
import gzip
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.crew import Crew
from aggregator.errors import FieldError, Invalid
from aggregator.http import answer
from aggregator.limits import Limiter, network_of
from aggregator.merchants.candidates import Candidate
from aggregator.merchants.directory import Directory, Merchant
from aggregator.merchants.matching import MAX_QUERY, Matcher
from aggregator.merchants.newcomers import Newcomers

MAX_SUGGESTIONS = 20
USUAL_SUGGESTIONS = 8
# Merchants in one country's list: it is kept on phones, and beyond the home ones the list gets long, not better.
MAX_LISTED = 2_000
CACHED = {"Cache-Control": "public, max-age=3600"}
# A question a keystroke, for a family behind one address.
RATE_PER_MINUTE = 600
THREADS = 2
MAX_WAITING = 64


class Question(NamedTuple):
    q: str
    country: str | None
    limit: int


class Listing(NamedTuple):
    """A country's list, packed once: JSON, the same gzipped, and the strong validator of each."""

    plain: bytes
    packed: bytes

    @property
    def etag(self) -> str:
        return hashlib.sha256(self.plain).hexdigest()[:32]


def routes(
    directory: Directory, matcher: Matcher, limit_scale: int = 1, newcomers: Newcomers | None = None
) -> list[BaseRoute]:
    """`GET /api/merchants` and `GET /api/merchants/directory`; `limit_scale` times the usual questions are answered."""
    newcomers = newcomers or Newcomers()
    crew = Crew("search", THREADS, MAX_WAITING)
    limit = Limiter(f"{RATE_PER_MINUTE * limit_scale}/minute")

    async def suggest(request: Request) -> Response:
        question = asked(request)
        limit.hit(network_of(request))
        found = await crew.run(lambda: suggestions(directory, matcher, question, newcomers))
        return answer({"merchants": found}, headers=CACHED)

    listing = lru_cache(maxsize=64)(lambda country, arrived: pack(directory, country, arrived.merchants))

    async def listed(request: Request) -> Response:
        errors: list[FieldError] = []
        country = country_of(request, errors)
        if errors:
            raise Invalid(errors)
        return sent(request, await asyncio.to_thread(listing, country, newcomers.now))

    return [Route("/api/merchants", suggest), Route("/api/merchants/directory", listed)]


# ---------------------------------------------------------------- the question


def asked(request: Request) -> Question:
    """The query, checked; raises Invalid with every field that is wrong."""
    errors: list[FieldError] = []
    q = request.query_params.get("q", "")
    if len(q) > MAX_QUERY:
        errors.append(FieldError("/q", f"At most {MAX_QUERY} characters are searched for."))
    question = Question(q, country_of(request, errors), limit_of(request, errors))
    if errors:
        raise Invalid(errors)
    return question


def country_of(request: Request, errors: list[FieldError]) -> str | None:
    country = request.query_params.get("country", "")
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        errors.append(FieldError("/country", "A country is two letters of ISO 3166-1, like ru."))
    return country.lower() or None


def limit_of(request: Request, errors: list[FieldError]) -> int:
    limit = request.query_params.get("limit", str(USUAL_SUGGESTIONS))
    if limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= MAX_SUGGESTIONS:
        return int(limit)
    errors.append(FieldError("/limit", f"A limit is a whole number from 1 to {MAX_SUGGESTIONS}."))
    return USUAL_SUGGESTIONS


# ---------------------------------------------------------------- the answer


def suggestions(
    directory: Directory, matcher: Matcher, question: Question, newcomers: Newcomers
) -> list[dict[str, object]]:
    """The best merchants for the typed word; for no word, the best known of the country."""
    if question.q.strip():
        found = matcher.search(question.q, question.limit, question.country)
        found = newcomers.among(found, question.q, question.limit, question.country)
    else:
        known = directory.well_known(question.country, question.limit) if question.country else []
        found = [Candidate(merchant.slug, merchant.name_in(question.country), 0.0) for merchant in known]
    return [shown(candidate, directory) for candidate in found]


def shown(candidate: Candidate, directory: Directory) -> dict[str, object]:
    merchant = directory.get(candidate.slug)
    return {
        "slug": candidate.slug,
        "name": candidate.name,
        "score": round(candidate.score, 3),
        "categories": merchant.categories if merchant else (),
    }


def pack(directory: Directory, country: str | None, others: Sequence[Merchant] = ()) -> Listing:
    """`[slug, name, [other names]]` of a country's merchants, or of the best known ones without a country, and the
    slugs that cards may name them by from before they were merged. `others` come first, since no list may cut them.
    """
    merchants = directory.applicable(country) if country else directory.well_known(None, MAX_LISTED)
    merchants = [*others, *merchants]
    rows = [(m.slug, m.name_in(country), other_names(m, country)) for m in merchants[:MAX_LISTED]]
    merged = directory.merged_into(row[0] for row in rows)
    version = "-".join([directory.version, *([version_of(others)] if others else [])])
    plain = msgspec.json.encode({"version": version, "merged": merged, "merchants": rows})
    return Listing(plain, gzip.compress(plain, mtime=0))


def version_of(merchants: Sequence[Merchant]) -> str:
    """Tells one set of merchants from another."""
    return hashlib.sha256(msgspec.json.encode(merchants)).hexdigest()[:8]


def other_names(merchant: Merchant, country: str | None) -> list[str]:
    name = merchant.name_in(country)
    return [other for other in (*merchant.names, *merchant.aliases) if other.casefold() != name.casefold()]


def sent(request: Request, listing: Listing) -> Response:
    """The list, gzipped for who takes it; 304 where the device has it already."""
    gzipped = "gzip" in request.headers.get("accept-encoding", "")
    etag = f'"{listing.etag}{"-gz" if gzipped else ""}"'
    headers = CACHED | {"ETag": etag, "Vary": "Accept-Encoding"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(listing.packed if gzipped else listing.plain, headers=headers, media_type="application/json")
