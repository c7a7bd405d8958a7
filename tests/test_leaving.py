"""Whoever leaves takes everything along and leaves nothing behind."""

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from aggregator.accounts.exports import Export, Exports, File
from aggregator.accounts.leaving import forget_gone_devices
from aggregator.accounts.routes import Download
from aggregator.errors import TooManyRequests, Unavailable
from aggregator.jobs import now_ms
from tests.answers import assert_problem
from tests.authenticator import Authenticator
from tests.inside import opened
from tests.partners import shop
from tests.service import PASSWORD, Person, Running, ServiceOptions, code, running, uuid7
from tests.shapes import shape_of
from tests.stores import Kept, Rows
from tests.town import register

NUMBER = "7789004455667788"
# The generator of P-256 is as good a public key as any.
P256DH = "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
DAY_MS = 86_400_000

# What is nobody's. Every other table is somebody's, and has to be filled before and empty after.
NOBODYS = {"store_fact", "job", "pattern", "withdrawn_pattern", "gone_device"}
# What is shops': a person is in it by numbers and under ids that nobody else knows, or not at all.
NOBODYS |= {"partner", "partner_secret", "partner_key", "partner_token", "used_assertion", "idempotent_call"}
NOBODYS |= {"request_note", "programme", "partner_picture", "till_code", "balance", "outbox", "offer", "offer_number"}
NOBODYS |= {"offer_mark", "event", "webhook", "delivery", "sandbox_card"}
# Filled by a restore from backup, while the picture store is silent, when a card ends, and while a mail is under way.
RARELY = {"restored_space", "gone_space", "reminded", "notice", "mail", "sign_up"}


@pytest.fixture
def own(options: ServiceOptions) -> Iterator[Running]:
    """A service that nobody else uses."""
    with running(options) as found:
        yield found


@dataclass(frozen=True)
class Left:
    """Somebody with something in every table, and everything that names them."""

    person: Person
    other: Person
    card: str
    binned: str
    picture: str

    def names(self) -> list[str]:
        person, other = self.person, self.other
        ids = [person.account, person.space, person.device, other.device, person.client, other.client]
        return [*ids, self.card, self.binned, self.picture, person.email, person.email.partition("@")[0], NUMBER]


Settle = Callable[[str], Left]


@pytest.fixture
def settled(red_picture: bytes) -> Iterator[Settle]:
    """Somebody with two devices, a card with picture and use, and one in the bin, at the service of that address."""
    with ExitStack() as devices:
        yield lambda url: _settled(url, red_picture, devices)


def _settled(url: str, picture: bytes, devices: ExitStack) -> Left:
    person = devices.enter_context(Person.signed_up(url))
    shown, _ = person.upload(picture)
    card = person.keep(number=NUMBER, codes=[code(NUMBER, "code_128")], front=shown, note="моя")
    person.push("card.use", id=card, use=uuid7(), at="2026-01-01T00:00:00Z")
    wish_reminders(person)
    other = devices.enter_context(person.another_device())
    binned = other.keep(name="Лента")
    other.push("card.bin", id=binned)
    site = url.replace("127.0.0.1", "localhost")
    assert register(person.http, Authenticator(site)).status_code == 201
    for path in ("/api/account/codes", "/api/passkeys/options"):
        assert person.http.post(path).is_success
    return Left(person, other, card, binned, shown)


def link_elsewhere(options: ServiceOptions, left: Left) -> None:
    """What comes of a provider and of a mail that was sent: a link to the one, and a link in the other."""
    account, email = left.person.account, left.person.email
    Rows(options).sql(
        f"INSERT INTO identity (id, account_id, provider, issuer, subject, label, created_ms) VALUES "
        f"('{uuid7()}', '{account}', 'city', 'https://city.example', '{email}', '{email}', 1)"
    )
    Rows(options).sql(
        f"INSERT INTO mail_token (token_hash, account_id, purpose, email_key, expires_ms) VALUES "
        f"('{account:0>64}', '{account}', 'verify', '{email}', 1)"
    )
    Rows(options).sql(
        f"INSERT INTO mail (id, kind, email, email_key, language, created_ms, due_ms, attempts) VALUES "
        f"('{uuid7()}', 'verify', '{email}', '{email}', 'ru', 1, 9000000000000, 0)"
    )


def connect(own: Running, options: ServiceOptions, person: Person) -> None:
    """A card to a shop, which has told the person of an offer."""
    asked = {"params": {"account": person.account}}
    with shop(own, "--slug", "magnit", "--open") as found:
        found.call("PUT", "/programme", {"name": {"ru": "Магнит"}, "policies": ["open"]}).raise_for_status()
        card = person.keep(merchant="magnit", number=NUMBER)
        body = {"space": person.space, "card": card, "policy": "open"}
        person.http.post("/api/links", json=body, **asked).raise_for_status()
        names = [link["shop"] for link in json.loads(exported(person).read("links.json"))]
        assert names == [{"ru": "Магнит"}]
        Rows(options).sql(
            f"INSERT INTO offer_told (account_id, partner_id, offer_id, told_ms) "
            f"VALUES ('{person.account}', '{found.id}', 'tea', 1)"
        )


def wish_reminders(person: Person) -> None:
    """On this device, of a push service that is never called."""
    asked = {"params": {"account": person.account}}
    keys = {"p256dh": P256DH, "auth": "AAAAAAAAAAAAAAAAAAAAAA"}
    subscription = {"endpoint": f"https://push.example.org/{person.device}", "keys": keys}
    told = person.http.put("/api/reminders/device", json={"subscription": subscription, "language": "ru"}, **asked)
    assert told.status_code == 204, told.text
    assert person.http.put("/api/reminders", json={"on": True}, **asked).status_code == 200


def leave(person: Person, password: str = PASSWORD) -> httpx.Response:
    return person.http.request("DELETE", "/api/account", json={"password": password})


def share(person: Person, guest: Person) -> None:
    """The person makes a household, brings a card and lets the guest in, and somebody else whoever comes."""
    account = {"account": person.account}
    household = {"name": "Дом", "own_name": "Анна"}
    space = person.http.post("/api/households", params=account, json=household).json()["space"]
    person.push("card.keep", space=space, id=uuid7(), card={"name": "Лента"})
    path = f"/api/households/{space}/invitations"
    tokens = [person.http.post(path, params=account, json={"role": "member"}).json()["token"] for _ in range(2)]
    entrance = {"token": tokens[0], "own_name": "Борис"}
    guest.http.post("/api/invitations/join", params={"account": guest.account}, json=entrance).raise_for_status()


def exported(person: Person) -> zipfile.ZipFile:
    answer = person.http.get("/api/account/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def traces(options: ServiceOptions, names: list[str]) -> list[str]:
    """Every place in rows and pictures where one of the names stands, in any spelling."""
    spellings = {name: [name, name.replace("-", "")] for name in names}
    rows = {table: repr(found.rows).lower() for table, found in shape_of(Rows(options)).items()}
    blobs = {"a picture's key": repr(list(Kept(options).all()))}
    return [
        f"{name} in {place}"
        for place, text in (rows | blobs).items()
        for name, ways in spellings.items()
        if any(way in text for way in ways) or name.encode().hex() in text
    ]


def filled(options: ServiceOptions) -> set[str]:
    return {name for name, table in shape_of(Rows(options)).items() if table.rows}


# ---------------------------------------------------------------- taking everything along


def test_an_export_holds_every_card_with_its_pictures_devices_and_queues(service: Running, settled: Settle) -> None:
    left = settled(service.url)
    space = left.person.space
    archive = exported(left.person)
    files = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    assert archive.namelist()[:2] == ["account.json", "devices.json"]
    assert files["account.json"]["format"] == "karman-export/1"
    assert files["account.json"]["account"]["email"] == left.person.email
    assert {device["id"] for device in files["devices.json"]} == {left.person.device, left.other.device}
    assert [found["id"] for found in files["spaces.json"]] == [space]
    assert (files["reminders.json"]["on"], files["reminders.json"]["devices"][0]["id"]) == (True, left.person.device)
    assert {queue["id"]: queue["last_id"] for queue in files["queues.json"]} == {
        left.person.client: 2,
        left.other.client: 2,
    }
    cards = {card["id"]: card for card in files[f"cards/{space}.json"]}
    assert cards == {id: {"id": id, **body} for id, body in left.person.cards().items()}
    assert "binned_at" in cards[left.binned]
    picture = archive.read(f"pictures/{space}/{left.picture}.webp")
    assert Image.open(io.BytesIO(picture)).format == "WEBP"
    assert files["problems.json"] == []
    ways = files["ways-in.json"]
    assert (ways["password"], ways["verified"], ways["codes"]) == (True, False, 10)
    assert [passkey["name"] for passkey in ways["passkeys"]] == ["Ноутбук"]


def test_an_export_of_nothing_and_of_many_pages_are_both_whole(service: Running, person: Person) -> None:
    space = person.space
    assert json.loads(exported(person).read(f"cards/{space}.json")) == []
    ids = [uuid7() for _ in range(230)]
    keeps = [person.mutation("card.keep", id=id, card={"name": f"Магнит {n}"}) for n, id in enumerate(ids)]
    assert person.send(keeps).status_code == 200
    cards = json.loads(exported(person).read(f"cards/{space}.json"))
    assert sorted(card["id"] for card in cards) == sorted(ids)


def test_what_does_not_open_is_named_in_the_export_and_the_rest_is_there(
    own: Running, options: ServiceOptions, settled: Settle
) -> None:
    left = settled(own.url)
    Rows(options).sql(f"UPDATE entry SET schema = 99 WHERE key = 'card/{left.card}' RETURNING key")
    [blob] = Kept(options).all()
    Kept(options).delete(blob)
    archive = exported(left.person)
    problems = json.loads(archive.read("problems.json"))
    assert [(p.get("card"), p.get("picture")) for p in problems] == [(left.card, None), (None, left.picture)]
    cards = json.loads(archive.read(f"cards/{left.person.space}.json"))
    assert [card["id"] for card in cards] == [left.binned]


def test_an_export_holds_nothing_of_anybody_else(service: Running, stranger: Person, settled: Settle) -> None:
    left = settled(service.url)
    archive = exported(stranger)
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert not any(name in everything + "".join(archive.namelist()) for name in left.names())


def test_a_picture_store_that_does_not_answer_is_told_as_503(
    own: Running, options: ServiceOptions, profile: str, settled: Settle
) -> None:
    if profile == "grown":
        pytest.skip("the folder stands in for every store")
    left = settled(own.url)
    [blob] = (options.data / "pictures").rglob("*.blob")
    blob.unlink()
    blob.mkdir()
    answer = left.person.http.get("/api/account/export")
    assert_problem(answer, 503, "store-unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_exports_and_wrong_passwords_are_rationed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        own = stack.enter_context(running(ServiceOptions(tmp_path / "data").plus("--limit-scale", "1")))
        person = stack.enter_context(Person.signed_up(own.url))
        exports = [person.http.get("/api/account/export") for _ in range(12)]
        tries = [leave(person, "wrong password") for _ in range(12)]
    for answers, first in ((exports, 200), (tries, 403)):
        assert (answers[0].status_code, answers[-1].status_code) == (first, 429)
        assert int(answers[-1].headers["retry-after"]) > 0


async def _endless(asked: Export) -> AsyncIterator[File]:
    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    yield File("endless", parts(), packs=False)


def endless() -> Exports:
    """Exports that end only when their reader does."""
    exports = Exports([])
    exports._exporters = (_endless,)
    return exports


def test_an_export_holds_its_place_until_it_ends_and_little_memory() -> None:
    async def story() -> None:
        exports = endless()
        store: Any = None
        accounts = [uuid.uuid4() for _ in range(9)]
        streams = [exports.stream(store, account) for account in accounts[:8]]
        for stream in streams:
            assert len(await anext(stream)) < 2_000_000
        with pytest.raises(TooManyRequests):
            await anext(exports.stream(store, accounts[0]))
        with pytest.raises(Unavailable):
            await anext(exports.stream(store, accounts[8]))
        await streams[0].aclose()
        freed = exports.stream(store, accounts[8])
        assert await anext(freed)
        for stream in [*streams, freed]:
            await stream.aclose()

    asyncio.run(story())


def test_a_reader_who_goes_away_frees_the_place_of_their_export() -> None:
    async def story() -> None:
        exports, account, store = endless(), uuid.uuid4(), None
        stream = exports.stream(store, account)
        response = Download(await anext(stream), stream)
        sent = 0

        async def send(message: Any) -> None:
            nonlocal sent
            sent += len(message.get("body", b""))
            if sent > 1_000_000:
                raise OSError

        async def receive() -> Any:
            await asyncio.sleep(3_600)

        with pytest.raises(ClientDisconnect):
            await response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
        again = exports.stream(store, account)
        assert await anext(again)
        await again.aclose()

    asyncio.run(story())


# ---------------------------------------------------------------- deleting everything


def test_a_deleted_account_leaves_no_trace_in_any_row_or_picture(
    own: Running, options: ServiceOptions, settled: Settle
) -> None:
    left = settled(own.url)
    with Person.signed_up(own.url) as neighbour:
        kept = neighbour.keep()
        link_elsewhere(options, left)
        share(left.person, neighbour)
        connect(own, options, left.person)
        owned = shape_of(Rows(options)).keys() - NOBODYS - RARELY
        assert owned - filled(options) == set(), "this table is not filled by the test, or is missing in NOBODYS"
        found = traces(options, left.names())
        assert {place.partition(" in ")[0] for place in found} == {*left.names()} - {NUMBER}
        answer = leave(left.person)
        assert (answer.status_code, answer.content) == (204, b"")
        assert traces(options, left.names()) == []
        assert Kept(options).all() == {}
        assert set(neighbour.cards()) == {kept}


def test_every_table_is_somebodys_or_known_to_be_nobodys(own: Running, options: ServiceOptions) -> None:
    tables = shape_of(Rows(options))
    of_somebody = {name for name, table in tables.items() if {"account_id", "space_id"} & table.columns.keys()}
    assert tables.keys() == NOBODYS | RARELY | of_somebody | {"account", "space"}


def test_other_devices_are_told_to_wipe_and_their_streams_end(own: Running, settled: Settle) -> None:
    left = settled(own.url)
    with left.other.http.stream("GET", "/api/sync/live", params={"account": left.other.account}) as live:
        lines = live.iter_lines()
        next(lines)
        assert leave(left.person).status_code == 204
        list(lines)
    account = {"account": left.other.account}
    assert_problem(left.other.http.get("/api/sync/pull", params=account), 401, "device-revoked")
    assert_problem(left.other.http.get("/api/devices"), 401, "device-revoked")
    assert_problem(left.other.send([left.other.mutation("card.bin", id=left.card)]), 401, "device-revoked")
    credentials = {"email": left.person.email, "password": PASSWORD, "device": "test"}
    assert_problem(httpx.post(f"{own.url}/api/session", json=credentials), 401, "wrong-credentials")
    assert httpx.post(f"{own.url}/api/accounts", json=credentials).status_code == 201


def test_the_leaving_device_loses_its_cookie(service: Running) -> None:
    with Person.signed_up(service.url) as person:
        assert 'karman=""' in leave(person).headers["set-cookie"]
        assert_problem(person.http.get("/api/session"), 401, "sign-in-needed")


def test_a_wrong_password_deletes_nothing(service: Running, person: Person) -> None:
    card = person.keep()
    for password in ("wrong password", "", PASSWORD.upper(), "a" * 100_000):
        assert_problem(leave(person, password), 403, "wrong-password")
    assert_problem(person.http.request("DELETE", "/api/account", json={}), 422, "invalid")
    assert set(person.cards()) == {card}


def test_a_space_that_others_are_in_stays_with_them(own: Running, options: ServiceOptions, settled: Settle) -> None:
    left = settled(own.url)
    with Person.signed_up(own.url) as friend:
        values = f"'{left.person.space}', '{friend.account}', 'member'"
        Rows(options).sql(f"INSERT INTO member (space_id, account_id, role) VALUES ({values})")
        assert leave(left.person).status_code == 204
        keys = {op["key"] for op in friend.pull()["patch"] if op["op"] == "put"}
        assert keys == {f"card/{left.card}", f"card/{left.binned}"}
        assert len(Kept(options).all()) == 1


def test_pushes_under_way_while_an_account_is_deleted_leave_nothing_and_break_nothing(
    own: Running, options: ServiceOptions
) -> None:
    for _ in range(5):
        with ExitStack() as stack, ThreadPoolExecutor(5) as threads:
            person = stack.enter_context(Person.signed_up(own.url))
            devices = [stack.enter_context(person.another_device()) for _ in range(3)]
            pushing = [threads.submit(_push_until_told, device) for device in devices]
            gone = leave(person)
            ended = [push.result() for push in pushing]
        assert gone.status_code == 204
        assert ended == ["device-revoked"] * 3
        assert traces(options, [person.account, person.space, person.email]) == []
    assert own.logged() == ""


def _push_until_told(device: Person) -> str:
    for _ in range(200):
        answer = device.send([device.mutation("card.keep", id=uuid7(), card={"name": "Магнит"})])
        if answer.status_code != 200:
            return str(answer.json()["code"])
    return "never"


def test_pictures_go_later_when_their_store_does_not_answer_at_once(
    options: ServiceOptions, profile: str, red_picture: bytes
) -> None:
    if profile == "grown":
        pytest.skip("the folder stands in for every store")

    async def story() -> None:
        async with opened(options) as guest:
            await guest.upload(red_picture)
            [blob] = (options.data / "pictures").rglob("*.blob")
            await asyncio.to_thread(blob.rename, options.data / "aside")
            blob.mkdir()
            answer = await guest.http.request("DELETE", "/api/account", json={"password": PASSWORD})
            assert answer.status_code == 204
            blob.rmdir()
            await asyncio.to_thread((options.data / "aside").rename, blob)
            await guest.work("remove-gone-pictures", now_ms())
            assert Kept(options).all() == {}
            assert await asyncio.to_thread(Rows(options).count, "gone_space") == 0

    asyncio.run(story())


def test_deleting_twice_is_told_and_harmless(service: Running, person: Person) -> None:
    with person.another_device() as other:
        assert leave(person).status_code == 204
        assert_problem(leave(other), 401, "device-revoked")


def test_tokens_of_deleted_accounts_are_forgotten_when_their_sessions_would_have_ended(
    options: ServiceOptions,
) -> None:
    async def story() -> None:
        async with opened(options) as guest:
            answer = await guest.http.request("DELETE", "/api/account", json={"password": PASSWORD})
            assert answer.status_code == 204
            await guest.work("forget-gone-devices", now_ms() + 399 * DAY_MS)
            assert await asyncio.to_thread(Rows(options).count, "gone_device") == 1
            await forget_gone_devices(guest.store, now_ms() + 401 * DAY_MS)
            assert await asyncio.to_thread(Rows(options).count, "gone_device") == 0

    asyncio.run(story())
