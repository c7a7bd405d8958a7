"""How the operator lets shops in, approves what they claim to be, and shuts them out."""

import uuid
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aggregator import db
from aggregator.accounts.sessions import iso, now_ms
from aggregator.errors import Problem
from aggregator.merchants.commands import AskedWrong
from aggregator.merchants.directory import Directory
from aggregator.partners import credentials, programmes
from aggregator.settings import Settings

ADD, LIST, APPROVE, OPEN, DISABLE, ENABLE, SECRET = "add", "list", "approve", "open", "disable", "enable", "secret"
ACTIONS = (LIST, ADD, APPROVE, OPEN, DISABLE, ENABLE, SECRET)
MAX_NAME = 80
HEAD = ("name", "id", "state", "slug", "claims", "open")
FIND = "SELECT id, name FROM partner"
TABLE = (
    "SELECT p.name, p.id, p.sandbox, p.disabled_ms, g.slug, g.claimed, g.open_allowed "
    "FROM partner p LEFT JOIN programme g ON g.partner_id = p.id ORDER BY p.name"
)


def add_arguments(parser: ArgumentParser) -> None:
    """What follows `partner`."""
    parser.add_argument("action", nargs="?", default=LIST, choices=ACTIONS)
    parser.add_argument("name", nargs="?", default="", help="the shop's name, or its id")
    parser.add_argument("state", nargs="?", default="", help="after `open NAME`: on or off")
    parser.add_argument("--sandbox", action="store_true", help="a shop with test cards, which is shown to nobody")
    parser.add_argument("--slug", default="", metavar="…", help="the directory's entry that the shop is")
    parser.add_argument("--open", action="store_true", help="who knows a number may see its balance")


async def carry_out(store: db.Store, settings: Settings, directory: Directory, asked: Mapping[str, Any]) -> str:
    """Do what was asked and say what came of it; raises AskedWrong."""
    action = asked["action"]
    try:
        if action == LIST:
            return await listing(store)
        if action == ADD:
            return await _add(store, settings, directory, asked)
        partner_id, name = await _found(store, asked["name"])
        return await _changed(partner_id, name, settings, directory, asked)
    except Problem as problem:
        raise AskedWrong(problem.detail) from None


async def _add(store: db.Store, settings: Settings, directory: Directory, asked: Mapping[str, Any]) -> str:
    name = " ".join(asked["name"].split())
    await _require_new(store, name, directory, asked)
    partner_id, secret = await credentials.add_partner(name, asked["sandbox"])
    lines = [f"Added {name}{' as a sandbox' if asked['sandbox'] else ''}.", *_told(partner_id, secret, settings)]
    if asked["slug"] or asked["open"]:
        lines.append(await _settled(partner_id, name, directory, asked))
    return "\n".join(lines)


async def _require_new(store: db.Store, name: str, directory: Directory, asked: Mapping[str, Any]) -> None:
    """Raises AskedWrong before anything is written."""
    if not 0 < len(name) <= MAX_NAME:
        raise AskedWrong(f"A shop needs a name of 1 to {MAX_NAME} characters.")
    if await store.read(f"{FIND} WHERE name = $1", name):
        raise AskedWrong(f"There is a shop {name!r} already: `partner secret` makes it a new secret.")
    if asked["slug"] and directory.get(asked["slug"]) is None:
        raise AskedWrong(f"The directory has no shop {asked['slug']!r}.")
    if asked["slug"] and asked["sandbox"]:
        raise AskedWrong("A sandbox shop is shown to nobody, so it has no --slug.")
    slug = directory.latest(asked["slug"])
    if asked["slug"] and await store.read("SELECT 1 FROM programme WHERE slug = $1", slug):
        raise AskedWrong(f"Another shop is {slug} already: `partner list` shows which.")


def _told(partner_id: uuid.UUID, secret: str, settings: Settings) -> Iterator[str]:
    """What the shop's developer needs; the secret can be told this once."""
    yield f"client id      {partner_id}"
    yield f"client secret  {secret}"
    yield "The secret is shown this once. A token for 15 minutes:"
    yield f"curl -u {partner_id}:{secret} -d grant_type=client_credentials {settings.address}/oauth/token"


async def _settled(partner_id: uuid.UUID, name: str, directory: Directory, asked: Mapping[str, Any]) -> str:
    """A programme that the shop will put anew, so that there is something to approve."""
    now = now_ms()
    said = programmes.Programme(name={"ru": name, "en": name})
    async with db.transaction():
        await programmes.put(partner_id, said, directory, now)
        if asked["slug"]:
            await programmes.claim(partner_id, asked["slug"], directory, now)
    if asked["open"]:
        await programmes.allow_open(partner_id, True, now)
    slug = await programmes.approve(partner_id, directory, now) if asked["slug"] else None
    return f"It is {slug}." if slug else "It may use policy open."


async def _found(store: db.Store, text: str) -> tuple[uuid.UUID, str]:
    """The shop of this name or id; raises AskedWrong."""
    rows = await store.read(f"{FIND} WHERE name = $1", text)
    if not rows and _is_id(text):
        rows = await store.read(f"{FIND} WHERE id = $1", str(uuid.UUID(text)))
    if not rows:
        raise AskedWrong(f"There is no shop {text!r}: `partner list` shows all.")
    if len(rows) > 1:
        raise AskedWrong(f"There are several shops {text!r}: name one by its id.")
    return uuid.UUID(str(rows[0]["id"])), rows[0]["name"]


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


async def _changed(
    partner_id: uuid.UUID, name: str, settings: Settings, directory: Directory, asked: Mapping[str, Any]
) -> str:
    now = now_ms()
    match asked["action"]:
        case "approve":
            return f"{name} is {await programmes.approve(partner_id, directory, now)}."
        case "open":
            return await _opened(partner_id, name, asked["state"], now)
        case "disable":
            await credentials.set_disabled(partner_id, now)
            return f"{name} is let in no more, in {credentials.KNOWN_MS // 1000} s by every process."
        case "enable":
            await credentials.set_disabled(partner_id, None)
            return f"{name} is let in."
    async with db.transaction():
        secret, until = await credentials.rotate(partner_id, now)
    lines = [*_told(partner_id, secret, settings), f"Older secrets are good until {iso(until)}."]
    return "\n".join(lines)


async def _opened(partner_id: uuid.UUID, name: str, state: str, now: int) -> str:
    if state not in {"on", "off"}:
        raise AskedWrong("`partner open NAME` needs on or off.")
    await programmes.allow_open(partner_id, state == "on", now)
    may = "may" if state == "on" else "may not"
    return f"{name} {may} use policy open, where who knows a number sees its balance."


async def listing(store: db.Store) -> str:
    """All shops as a table."""
    rows = [HEAD, *(_cells(row) for row in await store.read(TABLE))]
    if len(rows) == 1:
        return "There is no shop yet: `partner add NAME` lets one in."
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cells(row: Any) -> Sequence[str]:
    state = "disabled" if row["disabled_ms"] else "sandbox" if row["sandbox"] else "on"
    claims = row["claimed"] if row["claimed"] != row["slug"] else None
    return (
        *(row["name"], str(row["id"]), state, row["slug"] or "-", claims or "-"),
        "yes" if row["open_allowed"] else "no",
    )
