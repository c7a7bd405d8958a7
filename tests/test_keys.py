"""Keys come and go, and nothing that anybody keeps is ever without the one that opens it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tortoise import Tortoise, fields

from aggregator import app, db
from aggregator.backup import rings
from aggregator.backup.rings import KeysRefused
from aggregator.backup.save import save
from aggregator.crypto import read_ring
from aggregator.jobs import now_ms
from aggregator.partners import resealing
from aggregator.settings import read
from aggregator.store import StoreInUse
from tests import samples
from tests.answers import assert_problem
from tests.inside import Guest, opened
from tests.service import Person, ServiceOptions, running, uuid7
from tests.stores import Kept, Rows, returned, ring_of, with_ring
from tests.test_commands import run

PASSPHRASE = "a pocket full of cards"
PICTURE = samples.encoded(Image.new("RGB", (64, 64), "#336699"), "PNG")
JOBS = ("reseal-bodies", "reseal-pictures")

Story = Callable[[Guest], Awaitable[Any]]


@dataclass
class Owner:
    """Somebody who was at the service before, and comes again."""

    account: str
    space: str
    cookies: dict[str, str]
    picture: str

    def back(self, guest: Guest) -> Guest:
        """The same person, in the place of somebody who has just signed up."""
        guest.http.cookies.clear()
        guest.http.cookies.update(self.cookies)
        return Guest(guest.http, self.account, self.space, uuid7(), guest.service, guest.store)


def told(options: ServiceOptions, story: Story) -> Any:
    async def tell() -> Any:
        async with opened(options) as guest:
            return await story(guest)

    return asyncio.run(tell())


def owner(options: ServiceOptions) -> Owner:
    """Somebody with a card, a card in the bin and a picture, sealed with the ring's latest key."""

    async def story(guest: Guest) -> Owner:
        picture, binned = await guest.upload(PICTURE), uuid7()
        await guest.keep(name="Лента", front=picture)
        await guest.push("card.keep", id=binned, card={"name": "Дикси"})
        await guest.push("card.bin", id=binned)
        return Owner(guest.account, guest.space, dict(guest.http.cookies), picture)

    return told(options, story)


def keys(options: ServiceOptions, action: str, what: str = "") -> str:
    settings = read({"data": str(options.data)}, options.environment)
    return asyncio.run(rings.carry_out(settings, {"action": action, "what": what}))


def rotated(options: ServiceOptions) -> ServiceOptions:
    """The store after `keys rotate`, the operator having put the ring where it belongs."""
    said = keys(options, "rotate")
    return (
        replace(options, environment={**options.environment, "KARMAN_KEYS": said}) if options.environment else options
    )


def without(options: ServiceOptions, key_id: str) -> ServiceOptions:
    """The same after `keys drop`."""
    said = keys(options, "drop", key_id)
    return (
        replace(options, environment={**options.environment, "KARMAN_KEYS": said}) if options.environment else options
    )


def ids(options: ServiceOptions) -> list[str]:
    return [line.split()[0] for line in keys(options, "show").splitlines()]


def sealed_with(options: ServiceOptions) -> set[str]:
    """The keys of everything that is sealed."""
    rows = {bytes(box)[:4].hex() for [box] in Rows(options).sql("SELECT box FROM entry WHERE box IS NOT NULL")}
    return rows | {box[:4].hex() for box in Kept(options).all().values()}


async def reseal(guest: Guest) -> None:
    for job in JOBS:
        await guest.work(job, now_ms())


def test_an_old_key_goes_once_everything_is_sealed_with_the_new_one(options: ServiceOptions) -> None:
    mine = owner(options)
    [old] = ids(options)
    both = rotated(options)
    assert ids(both)[0] == old
    new = ids(both)[1]
    with pytest.raises(KeysRefused, match="2 cards and 1 pictures are still sealed"):
        keys(both, "drop", old)
    versions = Rows(both).sql("SELECT key, version FROM entry ORDER BY key")

    async def work(guest: Guest) -> None:
        assert await asyncio.to_thread(sealed_with, both) == {old}
        await reseal(guest)
        assert sorted(await mine.back(guest).names()) == ["Дикси", "Лента"]

    told(both, work)
    assert sealed_with(both) == {new}
    assert Rows(both).sql("SELECT key, version FROM entry ORDER BY key") == versions
    alone = without(both, old)
    assert ids(alone) == [new]

    async def later(guest: Guest) -> None:
        back = mine.back(guest)
        assert sorted(await back.names()) == ["Дикси", "Лента"]
        path = f"/api/pictures/{mine.space}/{mine.picture}"
        assert (await back.http.get(path, params={"account": mine.account})).status_code == 200

    told(alone, later)


def test_what_is_written_after_a_rotation_is_sealed_with_the_new_key_at_once(options: ServiceOptions) -> None:
    owner(options)
    both = rotated(options)
    owner(both)
    assert sealed_with(both) == set(ids(both))


def test_resealing_looks_once_and_again_when_somebody_sealed_with_an_old_key_after_all(
    options: ServiceOptions,
) -> None:
    owner(options)
    [old] = ids(options)
    both = rotated(options)
    told(both, reseal)
    before = Kept(both).all()
    told(both, reseal)
    assert Kept(both).all() == before
    first = ring_of(both)
    late = with_ring(both, {**first, "keys": first["keys"][::-1]})
    owner(late)
    again = with_ring(late, first)
    told(again, reseal)
    assert old in sealed_with(again)
    with pytest.raises(KeysRefused, match="2 cards and 1 pictures"):
        keys(again, "drop", old)
    told(again, reseal)
    assert sealed_with(again) == {ids(again)[-1]}
    without(again, old)


def test_a_body_that_does_not_open_holds_up_neither_the_others_nor_the_drop(
    options: ServiceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    mine = owner(options)
    [old] = ids(options)
    Rows(options).sql("UPDATE entry SET schema = 99 WHERE purge_ms IS NOT NULL RETURNING key")
    both = rotated(options)
    told(both, reseal)
    assert "does not open" in caplog.text

    async def later(guest: Guest) -> None:
        assert await mine.back(guest).names() == ["Лента"]

    told(without(both, old), later)


def test_the_key_that_seals_one_that_is_not_there_and_one_in_use_stay(options: ServiceOptions) -> None:
    owner(options)
    both = rotated(options)
    old, new = ids(both)
    with pytest.raises(KeysRefused, match="rotate first"):
        keys(both, "drop", new)
    with pytest.raises(KeysRefused, match="no key 'abc'"):
        keys(both, "drop", "abc")

    async def meanwhile(guest: Guest) -> None:
        settings = read({"data": str(both.data)}, both.environment)
        with pytest.raises(StoreInUse):
            await rings.carry_out(settings, {"action": "drop", "what": old})

    told(both, meanwhile)
    assert ids(both) == [old, new]


def test_a_process_that_lacks_the_newest_key_answers_503_and_leaves_no_card_out(options: ServiceOptions) -> None:
    with running(options) as behind, Person.signed_up(behind.url) as person:
        old = person.keep()
        with running(rotated(options)) as ahead, returned(person, ahead.url) as later:
            new = later.keep()
            assert later.cards().keys() == {old, new}
            answer = person.http.get("/api/sync/pull", params={"account": person.account})
            assert_problem(answer, 503, "store-unavailable")
            assert int(answer.headers["retry-after"]) > 0


def test_the_command_rotates_and_tells_what_it_did(options: ServiceOptions, profile: str) -> None:
    run(options, "migrate")
    before = ring_of(options)["keys"]
    ended = run(options, "keys", "rotate")
    assert (ended.status, ended.errors) == (0, "")
    if profile == "grown":
        assert ring_of(options)["keys"] == before
        assert len(read_ring(ended.said).ids) == 2
    else:
        assert ring_of(options)["keys"][:-1] == before
        assert ids(options)[-1] in ended.said
    assert "rotate first" in run(options, "keys", "drop", ids(options)[-1]).line


def test_the_ring_in_a_backup_can_be_taken_out_with_its_passphrase_only(
    options: ServiceOptions, tmp_path: Path
) -> None:
    owner(options)
    file = tmp_path / "karman.tar"
    asyncio.run(save(read({"data": str(options.data)}, options.environment), file, PASSPHRASE))
    knowing = replace(options, environment={**options.environment, "KARMAN_BACKUP_PASSPHRASE": PASSPHRASE})
    assert read_ring(keys(knowing, "unpack", str(file))).ids == read_ring(str(ring_json(options))).ids
    other = replace(options, environment={**options.environment, "KARMAN_BACKUP_PASSPHRASE": "not this one"})
    assert "passphrase" in run(other, "keys", "unpack", str(file)).line


def ring_json(options: ServiceOptions) -> str:
    return options.environment.get("KARMAN_KEYS") or (options.data / "keys.json").read_text()


def test_every_sealed_column_is_known_to_what_seals_anew(tmp_path: Path) -> None:
    async def columns() -> set[tuple[str, str]]:
        async with db.connected(read({"data": str(tmp_path)}, {}), app.MODELS):
            return {
                (model._meta.db_table, name)
                for model in Tortoise.apps[db.APP].values()
                for name, field in model._meta.fields_map.items()
                if isinstance(field, fields.BinaryField)
            }

    plain = {
        ("receipt", "body_hash"),
        ("picture", "upload_mark"),
        ("passkey", "credential_id"),
        ("passkey", "public_key"),
        ("partner_picture", "image"),
    }
    # An answer is kept for a day, and what waits is carried within seconds: both are gone before anybody drops a key.
    fleeting = {("idempotent_call", "body"), ("outbox", "box")}
    of_shops = {(table.name, "number_box") for table in resealing.TABLES} | {
        (name, "box") for name, _ in resealing.BOXES
    }
    assert asyncio.run(columns()) - plain - fleeting == {("entry", "box"), ("balance", "box")} | of_shops
