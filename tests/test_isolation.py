"""Nobody learns from an id whether it is somebody's: every route and every mutator answers another account's id and an
id that nobody has alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from aggregator.app import Service
from aggregator.catalog.moves import ALL_MUTATORS
from aggregator.partners.api import ROOT
from aggregator.partners.wishes import MUTATORS as OFFER_MUTATORS
from aggregator.settings import Settings
from tests.answers import assert_problem, masked
from tests.authenticator import Authenticator
from tests.service import PASSWORD, Person, Running, client, uuid7
from tests.town import register

Shape = tuple[int, dict[str, str], str]


@dataclass(frozen=True)
class Ids:
    """One id of every kind that a request can carry."""

    account: str
    space: str
    device: str
    client: str
    card: str
    picture: str
    use: str
    passkey: str
    household: str
    invitation: str

    @classmethod
    def random(cls) -> "Ids":
        """Ids that nobody has."""
        return cls(*(uuid7() for _ in range(10)))

    def all(self) -> tuple[str, ...]:
        ids = (self.account, self.space, self.device, self.client, self.card, self.picture, self.use)
        return (*ids, self.passkey, self.household, self.invitation)


Ask = Callable[[Person, Ids, Ids], httpx.Response]
"""Asks with an id of `theirs`, and for the rest with the asker's own."""


@dataclass(frozen=True)
class Probe:
    """One way to use an id that is not one's own, and what everybody must be answered."""

    words: str
    ask: Ask
    status: int


def of_person(person: Person, picture: bytes) -> Ids:
    """The ids of somebody with a card, a picture on it, a use of it, a queue, a passkey, and a household with an
    invitation.
    """
    picture_id, answer = person.upload(picture)
    assert answer.status_code == 201
    card, use = person.keep(front=picture_id), uuid7()
    person.push("card.use", id=card, use=use, at="2026-01-01T00:00:00Z")
    site = str(person.http.base_url).replace("127.0.0.1", "localhost").rstrip("/")
    passkey = register(person.http, Authenticator(site)).json()["id"]
    ids = (person.account, person.space, person.device, person.client, card, picture_id, use, passkey)
    return Ids(*ids, *_household_of(person))


def _household_of(person: Person) -> tuple[str, str]:
    account = {"account": person.account}
    made = person.http.post("/api/households", params=account, json={"name": "Дом", "own_name": "Анна"}).json()
    path = f"/api/households/{made['space']}/invitations"
    return made["space"], person.http.post(path, params=account, json={"role": "member"}).json()["id"]


# The table of routes

THEIR_ACCOUNT = lambda theirs, own: theirs.account  # noqa: E731
OWN_ACCOUNT = lambda theirs, own: own.account  # noqa: E731


def picture_path(space: str, picture: str) -> str:
    return f"/api/pictures/{space}/{picture}"


def get(path: Callable[[Ids, Ids], str], **params: Callable[[Ids, Ids], str]) -> Ask:
    return lambda who, theirs, own: who.http.get(
        path(theirs, own), params={name: value(theirs, own) for name, value in params.items()}
    )


def put(path: Callable[[Ids, Ids], str], account: Callable[[Ids, Ids], str]) -> Ask:
    return lambda who, theirs, own: who.http.put(
        path(theirs, own), params={"account": account(theirs, own)}, content=PICTURE
    )


def push(account: Callable[[Ids, Ids], str], client: Callable[[Ids, Ids], str]) -> Ask:
    def ask(who: Person, theirs: Ids, own: Ids) -> httpx.Response:
        keep = {"id": 1, "name": "card.keep", "args": {"space": own.space, "id": own.card, "card": {"name": "Магнит"}}}
        body = {"client": client(theirs, own), "mutations": [keep]}
        return who.http.post("/api/sync/push", params={"account": account(theirs, own)}, json=body)

    return ask


def connect(wanted: Callable[[Ids, Ids], dict[str, str]], account: Callable[[Ids, Ids], str] = OWN_ACCOUNT) -> Ask:
    return lambda who, theirs, own: who.http.post(
        "/api/links",
        params={"account": account(theirs, own)},
        json={"policy": "challenge", **wanted(theirs, own)},
    )


def mark(whose: Callable[[Ids, Ids], Ids], account: Callable[[Ids, Ids], str] = OWN_ACCOUNT) -> Ask:
    def asking(who: Person, theirs: Ids, own: Ids) -> httpx.Response:
        ids = whose(theirs, own)
        marks = [{"space": ids.space, "card": ids.card, "offer": "spring", "kind": "seen"}]
        return who.http.post("/api/offers/marks", params={"account": account(theirs, own)}, json={"marks": marks})

    return asking


def leave(account: Callable[[Ids, Ids], str]) -> Ask:
    return lambda who, theirs, own: who.http.request(
        "DELETE", "/api/account", params={"account": account(theirs, own)}, json={"password": PASSWORD}
    )


def ask(method: str, path: Callable[[Ids, Ids], str], body: dict[str, str] | None = None, is_them: bool = False) -> Ask:
    """A call on behalf of oneself, or of them."""
    return lambda who, theirs, own: who.http.request(
        method, path(theirs, own), params={"account": (theirs if is_them else own).account}, json=body
    )


def of_household(method: str, path: str, body: dict[str, str] | None = None) -> list[Probe]:
    """Their household, and theirs as them."""
    return [
        Probe("their household", ask(method, lambda t, o: path.format(t=t, o=o), body), 404),
        Probe("as them", ask(method, lambda t, o: path.format(t=t, o=o), body, is_them=True), 409),
    ]


FOUNDATION = {"name": "Дом", "own_name": "Анна"}
ENTRANCE = {"token": "0" * 43, "own_name": "Анна"}

# A white pixel as GIF, which the service re-encodes like any other picture.
PICTURE = bytes.fromhex("47494638396101000100800000ffffff00000021f90400000000002c00000000010001000002024401003b")

WITH_IDS: dict[tuple[str, str], list[Probe]] = {
    ("DELETE", "/api/devices/{id}"): [
        Probe("their device", lambda who, theirs, own: who.http.delete(f"/api/devices/{theirs.device}"), 404),
        Probe("their account as a device", lambda who, t, o: who.http.delete(f"/api/devices/{t.account}"), 404),
    ],
    ("PUT", "/api/passkeys/{id}"): [
        Probe("their passkey", lambda who, t, o: who.http.put(f"/api/passkeys/{t.passkey}", json={"name": "x"}), 404)
    ],
    ("DELETE", "/api/passkeys/{id}"): [
        Probe("their passkey", lambda who, theirs, own: who.http.delete(f"/api/passkeys/{theirs.passkey}"), 404)
    ],
    ("DELETE", "/api/account/identities/{id}"): [
        Probe("their passkey as a link", lambda who, t, o: who.http.delete(f"/api/account/identities/{t.passkey}"), 404)
    ],
    ("POST", "/api/providers/{id}/start"): [
        Probe(
            "their account as a provider",
            lambda who, t, o: who.http.post(
                f"/api/providers/{t.account}/start", json={"purpose": "link", "device": "x"}
            ),
            404,
        )
    ],
    ("GET", "/api/pictures/{space}/{id}"): [
        Probe("their picture", get(lambda t, o: picture_path(t.space, t.picture), account=OWN_ACCOUNT), 404),
        Probe("their space", get(lambda t, o: picture_path(t.space, o.picture), account=OWN_ACCOUNT), 404),
        Probe("their picture here", get(lambda t, o: picture_path(o.space, t.picture), account=OWN_ACCOUNT), 404),
        Probe("as them", get(lambda t, o: picture_path(t.space, t.picture), account=THEIR_ACCOUNT), 409),
    ],
    ("PUT", "/api/pictures/{space}/{id}"): [
        Probe("over theirs", put(lambda t, o: picture_path(t.space, t.picture), OWN_ACCOUNT), 404),
        Probe("into their space", put(lambda t, o: picture_path(t.space, uuid7()), OWN_ACCOUNT), 404),
        Probe("their id in the own space", put(lambda t, o: picture_path(o.space, t.picture), OWN_ACCOUNT), 201),
        Probe("as them", put(lambda t, o: picture_path(t.space, t.picture), THEIR_ACCOUNT), 409),
    ],
    ("GET", "/api/sync/pull"): [
        Probe("as them", get(lambda t, o: "/api/sync/pull", account=THEIR_ACCOUNT), 409),
        Probe(
            "with their queue",
            get(lambda t, o: "/api/sync/pull", account=OWN_ACCOUNT, client=lambda t, o: t.client),
            200,
        ),
    ],
    ("POST", "/api/sync/push"): [
        Probe("as them", push(THEIR_ACCOUNT, lambda t, o: uuid7()), 409),
        Probe("with their queue", push(OWN_ACCOUNT, lambda t, o: t.client), 200),
    ],
    ("GET", "/api/account/export"): [
        Probe("as them", get(lambda t, o: "/api/account/export", account=THEIR_ACCOUNT), 409)
    ],
    ("POST", "/api/households"): [
        Probe("as them", ask("POST", lambda t, o: "/api/households", FOUNDATION, is_them=True), 409)
    ],
    ("POST", "/api/invitations/join"): [
        Probe("as them", ask("POST", lambda t, o: "/api/invitations/join", ENTRANCE, is_them=True), 409)
    ],
    ("PATCH", "/api/households/{space}"): of_household("PATCH", "/api/households/{t.household}", {"name": "Мой"}),
    ("GET", "/api/households/{space}/invitations"): of_household("GET", "/api/households/{t.household}/invitations"),
    ("POST", "/api/households/{space}/invitations"): [
        *of_household("POST", "/api/households/{t.household}/invitations", {"role": "member"}),
        *of_household("POST", "/api/households/{o.space}/invitations", {"role": "member"})[:1],
    ],
    ("DELETE", "/api/households/{space}/invitations/{id}"): [
        *of_household("DELETE", "/api/households/{t.household}/invitations/{t.invitation}"),
        *of_household("DELETE", "/api/households/{o.household}/invitations/{t.invitation}")[:1],
    ],
    ("PATCH", "/api/households/{space}/members/{id}"): [
        *of_household("PATCH", "/api/households/{t.household}/members/{t.account}", {"role": "viewer"}),
        *of_household("PATCH", "/api/households/{o.household}/members/{t.account}", {"role": "viewer"})[:1],
    ],
    ("DELETE", "/api/households/{space}/members/{id}"): [
        *of_household("DELETE", "/api/households/{t.household}/members/{t.account}"),
        *of_household("DELETE", "/api/households/{t.household}/members/{o.account}")[:1],
        *of_household("DELETE", "/api/households/{o.household}/members/{t.account}")[:1],
    ],
    ("DELETE", "/api/account"): [Probe("as them", leave(THEIR_ACCOUNT), 409)],
    ("GET", "/api/reminders"): [Probe("as them", get(lambda t, o: "/api/reminders", account=THEIR_ACCOUNT), 409)],
    ("PUT", "/api/reminders"): [Probe("as them", put(lambda t, o: "/api/reminders", THEIR_ACCOUNT), 409)],
    ("PUT", "/api/reminders/device"): [
        Probe("as them", put(lambda t, o: "/api/reminders/device", THEIR_ACCOUNT), 409),
    ],
    ("DELETE", "/api/reminders/device"): [
        Probe(
            "as them",
            lambda who, t, o: who.http.delete("/api/reminders/device", params={"account": t.account}),
            409,
        ),
    ],
    ("POST", "/api/links"): [
        Probe("their card", connect(lambda t, o: {"space": t.space, "card": t.card}), 404),
        Probe("their card here", connect(lambda t, o: {"space": o.space, "card": t.card}), 404),
        Probe("their household", connect(lambda t, o: {"space": t.household, "card": o.card}), 404),
        Probe("as them", connect(lambda t, o: {"space": t.space, "card": t.card}, THEIR_ACCOUNT), 409),
    ],
    # What stands under ids of links and attempts is tried in test_link_attacks.py, where there are shops.
    ("PUT", "/api/links/attempts/{id}"): [
        Probe("as them", ask("PUT", lambda t, o: f"/api/links/attempts/{t.card}", {"code": "0"}, is_them=True), 409),
    ],
    ("GET", "/api/links"): [Probe("as them", get(lambda t, o: "/api/links", account=THEIR_ACCOUNT), 409)],
    ("DELETE", "/api/links/{id}"): [
        Probe("their card", ask("DELETE", lambda t, o: f"/api/links/{t.card}"), 404),
        Probe("as them", ask("DELETE", lambda t, o: f"/api/links/{t.card}", is_them=True), 409),
    ],
    ("POST", "/api/offers/marks"): [
        Probe("their card", mark(lambda t, o: t), 204),
        Probe("as them", mark(lambda t, o: o, THEIR_ACCOUNT), 409),
    ],
    ("GET", "/api/sync/live"): [Probe("as them", get(lambda t, o: "/api/sync/live", account=THEIR_ACCOUNT), 409)],
    ("GET", "/c/{id}"): [Probe("their card's screen", get(lambda t, o: f"/c/{t.card}"), 0)],
    ("GET", "/c/{id}/back"): [Probe("their card's back", get(lambda t, o: f"/c/{t.card}/back"), 0)],
    ("GET", "/c/{id}/connect"): [Probe("their card's shop", get(lambda t, o: f"/c/{t.card}/connect"), 0)],
    ("GET", "/c/{id}/edit"): [Probe("their card's form", get(lambda t, o: f"/c/{t.card}/edit"), 0)],
    ("GET", "/households/{id}"): [Probe("their household's screen", get(lambda t, o: f"/households/{t.household}"), 0)],
    ("GET", "/{name}"): [Probe("their card as a file", get(lambda t, o: f"/{t.card}"), 404)],
}

WITHOUT_IDS = {
    ("POST", "/api/accounts"),
    ("POST", "/api/session"),
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    ("GET", "/api/devices"),
    ("POST", "/api/accounts/confirm"),
    ("POST", "/api/account/verification"),
    ("PUT", "/api/account/verification"),
    ("POST", "/api/password-reset"),
    ("PUT", "/api/password-reset"),
    ("GET", "/api/ways-in"),
    ("GET", "/api/account/ways"),
    ("PUT", "/api/account/password"),
    ("DELETE", "/api/account/password"),
    ("POST", "/api/account/codes"),
    ("POST", "/api/session/proof"),
    ("POST", "/api/session/proof/passkey"),
    ("POST", "/api/session/code"),
    ("POST", "/api/session/passkey/options"),
    ("POST", "/api/session/passkey"),
    ("POST", "/api/passkeys/options"),
    ("POST", "/api/passkeys"),
    ("POST", "/api/providers/back"),
    ("POST", "/api/invitations/look"),
    ("POST", "/api/intake"),
    ("GET", "/api/merchants"),
    ("GET", "/api/merchants/directory"),
    ("GET", "/api/health"),
    ("GET", "/"),
    ("GET", "/add"),
    ("GET", "/bin"),
    ("GET", "/account"),
    ("GET", "/settings"),
    ("GET", "/households"),
    ("GET", "/join"),
    *(("GET", path) for path in ("/confirm", "/reset", "/verify", "/forgot", "/ways", "/signed-in")),
    ("GET", "/reminders"),
    *(("GET", path) for path in ("/offers", "/connected", "/problems")),
    ("GET", "/.well-known/oauth-authorization-server"),
    *(("POST", path) for path in ("/oauth/token", "/oauth/revoke")),
    ("GET", "/leaving"),
    ("GET", "/assets"),
}

CARD = {"name": "Лента"}
AT = "2026-01-01T00:00:00Z"


def mutation(name: str, args: Callable[[Ids, Ids], dict[str, Any]]) -> Ask:
    """A push of one mutation from a queue of its own, so that earlier probes do not show."""

    def ask(who: Person, theirs: Ids, own: Ids) -> httpx.Response:
        fresh = replace(who, client=uuid7(), next_id=1)
        return fresh.send([fresh.mutation(name, **args(theirs, own))])

    return ask


def everywhere(name: str, here: int, **rest: Any) -> list[Probe]:
    """Their card in their space, an own one there, and theirs in the own space."""
    return [
        Probe("their card", mutation(name, lambda t, o: {"space": t.space, "id": t.card, **rest}), 404),
        Probe("into their space", mutation(name, lambda t, o: {"space": t.space, "id": o.card, **rest}), 404),
        Probe("their card's id here", mutation(name, lambda t, o: {"space": o.space, "id": t.card, **rest}), here),
    ]


APPLIED = 0
GONE = 409

# Whatever order the rows are tried in, keeping comes last: after it the asker does have a card with that id.
BY_MUTATOR: dict[str, list[Probe]] = {
    "card.set": [
        *everywhere("card.set", GONE, fields={"note": "моя"}),
        Probe(
            "their picture on an own card",
            mutation("card.set", lambda t, o: {"id": o.card, "fields": {"front": t.picture}}),
            GONE,
        ),
        Probe(
            "their picture on their card",
            mutation("card.set", lambda t, o: {"space": t.space, "id": t.card, "fields": {"back": t.picture}}),
            404,
        ),
    ],
    "card.use": [
        *everywhere("card.use", GONE, use=uuid7(), at=AT),
        Probe("their use", mutation("card.use", lambda t, o: {"id": o.card, "use": t.use, "at": AT}), APPLIED),
    ],
    "card.bin": everywhere("card.bin", GONE),
    "card.restore": everywhere("card.restore", GONE),
    "card.move": [
        Probe("their card", mutation("card.move", lambda t, o: {"space": t.space, "id": t.card, "to": o.space}), 404),
        Probe(
            "out of their household",
            mutation("card.move", lambda t, o: {"space": t.household, "id": t.card, "to": o.space}),
            404,
        ),
        Probe("into their space", mutation("card.move", lambda t, o: {"id": o.card, "to": t.space}), 404),
        Probe("into their household", mutation("card.move", lambda t, o: {"id": o.card, "to": t.household}), 404),
        Probe("their card's id here", mutation("card.move", lambda t, o: {"id": t.card, "to": o.household}), GONE),
    ],
    "card.keep": [
        Probe(
            "their picture on a new card",
            mutation("card.keep", lambda t, o: {"id": uuid7(), "card": {**CARD, "front": t.picture}}),
            GONE,
        ),
        *everywhere("card.keep", APPLIED, card=CARD),
    ],
    "offers.wish": [
        Probe("their space", mutation("offers.wish", lambda t, o: {"space": t.space, "notices": True}), 404),
        Probe("their household", mutation("offers.wish", lambda t, o: {"space": t.household, "notices": True}), 404),
    ],
}


PUBLIC = {
    ("GET", "/api/programmes"),
    ("GET", "/api/programmes/{slug}"),
    ("GET", "/api/partner-pictures/{id}"),
    ("GET", "/problems/{code}"),
}
"""What everybody may see who knows the address; what shops alone may ask is tried in test_link_attacks.py."""

# What is compared


def difference(probe: Probe, who: Person, own: Ids, theirs: Ids) -> tuple[Shape, Shape]:
    """The masked answers to an id somebody has, and to one that nobody has."""
    nobodys = Ids.random()
    known = masked(probe.ask(who, theirs, own), *theirs.all())
    return known, masked(probe.ask(who, nobodys, own), *nobodys.all())


def state_of(person: Person, ids: Ids) -> tuple[Any, ...]:
    """Everything that somebody has, as they see it."""
    pulled = person.pull(client=person.client)
    devices = [(device["id"], device["name"]) for device in person.http.get("/api/devices").json()["devices"]]
    picture = person.http.get(picture_path(person.space, ids.picture), params={"account": person.account})
    return pulled, devices, picture.status_code, picture.content, person.http.get("/api/account/ways").json()


def rows_of(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Method and path of every route for people; a folder of files is one GET."""
    for route in routes:
        assert isinstance(route, Route | Mount), route
        if route.path.startswith(ROOT):
            continue
        methods = (route.methods or set()) - {"HEAD"} if isinstance(route, Route) else {"GET"}
        yield from ((method, route.path) for method in methods)


def without_row(routes: list[BaseRoute]) -> set[tuple[str, str]]:
    """The routes that the table forgets."""
    return set(rows_of(routes)) - WITH_IDS.keys() - WITHOUT_IDS - PUBLIC


@pytest.fixture
def routes(tmp_path: Path) -> list[BaseRoute]:
    """Every route of the app."""
    return Service(Settings(data=tmp_path)).routes()


@pytest.fixture
def theirs(stranger: Person, red_picture: bytes) -> Ids:
    """What somebody else has."""
    return of_person(stranger, red_picture)


@pytest.fixture
def own(person: Person, red_picture: bytes) -> Ids:
    """What the asker has."""
    return of_person(person, red_picture)


def test_every_route_has_a_row_in_the_table_and_every_row_a_route(routes: list[BaseRoute]) -> None:
    assert without_row(routes) == set()
    assert WITH_IDS.keys() | WITHOUT_IDS | PUBLIC == set(rows_of(routes))
    assert [row for row in WITHOUT_IDS if "{" in row[1]] == []


def test_a_new_route_without_a_row_is_noticed(routes: list[BaseRoute]) -> None:
    new = Route("/api/cards/{id}", lambda request: None, methods=["PATCH"])
    assert without_row([*routes, new]) == {("PATCH", "/api/cards/{id}")}


def test_every_mutator_has_a_row_in_the_table() -> None:
    assert BY_MUTATOR.keys() == {mutator.name for mutator in (*ALL_MUTATORS, *OFFER_MUTATORS)}


@pytest.mark.parametrize("row", WITH_IDS, ids=lambda row: f"{row[0]} {row[1]}")
def test_a_route_answers_anothers_id_and_a_random_one_alike(
    person: Person, own: Ids, stranger: Person, theirs: Ids, row: tuple[str, str]
) -> None:
    before = state_of(stranger, theirs)
    for probe in WITH_IDS[row]:
        known, random = difference(probe, person, own, theirs)
        assert known == random, probe.words
        assert known[0] == (probe.status or known[0]), probe.words
    assert state_of(stranger, theirs) == before


@pytest.mark.parametrize("name", BY_MUTATOR)
def test_a_mutator_answers_anothers_id_and_a_random_one_alike(
    person: Person, own: Ids, stranger: Person, theirs: Ids, name: str
) -> None:
    before = state_of(stranger, theirs)
    for probe in BY_MUTATOR[name]:
        known, random = difference(probe, person, own, theirs)
        assert known == random, probe.words
        assert f'"status":{probe.status}' in known[2] if probe.status else '"applied"' in known[2], probe.words
    assert state_of(stranger, theirs) == before


def test_keeping_under_an_id_another_account_uses_makes_a_card_of_ones_own(
    person: Person, stranger: Person, theirs: Ids
) -> None:
    before = state_of(stranger, theirs)
    assert person.push("card.keep", id=theirs.card, card={"name": "Своя"})["status"] == "applied"
    assert person.cards()[theirs.card]["name"] == "Своя"
    assert state_of(stranger, theirs) == before


def test_a_use_another_account_has_counted_counts_here_too(person: Person, own: Ids, theirs: Ids) -> None:
    person.push("card.use", id=own.card, use=theirs.use, at=AT)
    assert person.cards()[own.card]["uses"] == 2


@pytest.mark.parametrize("row", [row for row in WITH_IDS if row[1].startswith("/api/")], ids=" ".join)
def test_signed_out_everything_is_asked_to_sign_in_alike(
    service: Running, stranger: Person, theirs: Ids, own: Ids, row: tuple[str, str]
) -> None:
    with client(service.url) as browser:
        nobody = replace(stranger, http=browser)
        for probe in WITH_IDS[row]:
            assert_problem(probe.ask(nobody, theirs, own), 401, "sign-in-needed")
            known, random = difference(probe, nobody, own, theirs)
            assert known == random, probe.words


@pytest.mark.parametrize("name", ["x", "0", "not-a-uuid", "%2e%2e", "é", "a" * 5_000, "%00"])
def test_what_is_no_id_is_as_unknown_as_a_random_one(person: Person, name: str) -> None:
    for path in (f"/api/devices/{name}", f"/api/pictures/{person.space}/{name}", f"/api/pictures/{name}/{uuid7()}"):
        call = person.http.delete if "devices" in path else person.http.get
        assert_problem(call(path, params={"account": person.account}), 404, "not-found")


@pytest.mark.parametrize(
    "leak",
    [
        lambda known: httpx.Response(403 if known else 404),
        lambda known: httpx.Response(404, headers={"ETag": "1"} if known else {}),
        lambda known: httpx.Response(404, json={"detail": "Not yours." if known else "Nothing here."}),
        lambda known: httpx.Response(404, headers={"Content-Type": "text/plain" if known else "text/html"}),
    ],
    ids=["status", "headers", "body", "type"],
)
def test_the_comparison_catches_an_app_that_tells(leak: Callable[[bool], httpx.Response]) -> None:
    theirs, own = Ids.random(), Ids.random()
    leaky = httpx.MockTransport(lambda request: leak(theirs.device in str(request.url)))
    with httpx.Client(transport=leaky, base_url="http://leaky") as browser:
        who = Person(browser, "a@example.org", own.account, own.device, own.space)
        known, random = difference(WITH_IDS["DELETE", "/api/devices/{id}"][0], who, own, theirs)
    assert known != random
