"""What has waited long enough goes, for every device and without a trace, and nothing goes a moment too early."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from PIL import Image

from aggregator.jobs import now_ms
from tests import samples
from tests.inside import Guest, opened
from tests.service import ServiceOptions, uuid7
from tests.stores import Rows

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PURGE, LEFTOVERS = "purge", "remove-leftover-pictures"


def told(options: ServiceOptions, story: Callable[[Guest], Awaitable[None]]) -> None:
    async def tell() -> None:
        async with opened(options) as guest:
            await story(guest)

    asyncio.run(tell())


async def card(guest: Guest, name: str = "Магнит", **fields: Any) -> str:
    """A new card; gives its id."""
    made = uuid7()
    assert await outcome(guest, "card.keep", id=made, card={"name": name, **fields}) == "applied"
    return made


async def outcome(guest: Guest, name: str, **args: Any) -> str:
    """What came of a mutation: `applied`, or the code of its problem."""
    [result] = (await guest.push(name, **args)).json()["results"]
    return result["status"] if result["status"] == "applied" else result["problem"]["code"]


async def pulled(guest: Guest, cookie: str = "") -> dict[str, Any]:
    answer = await guest.http.get("/api/sync/pull", params={"account": guest.account, "cookie": cookie})
    return dict(answer.json())


def ops(pull: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(op["op"], op.get("key")) for op in pull["patch"]]


# ---------------------------------------------------------------- the bin


def test_a_card_stays_in_the_bin_for_thirty_days_and_then_goes_from_every_device(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        kept, binned = await card(guest, "Лента"), await card(guest)
        await guest.push("card.bin", id=binned)
        before = await pulled(guest)
        await guest.work(PURGE, now_ms() + 30 * DAY_MS - HOUR_MS)
        assert ops(await pulled(guest, before["cookie"])) == []
        await guest.work(PURGE, now_ms() + 30 * DAY_MS + HOUR_MS)
        assert ops(await pulled(guest, before["cookie"])) == [("del", f"card/{binned}")]
        fresh = await pulled(guest)
        assert [op["key"] for op in fresh["patch"] if op["op"] == "put"] == [f"card/{kept}"]

    told(options, story)


def test_a_card_taken_out_of_the_bin_is_never_purged(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        restored = await card(guest)
        await guest.push("card.bin", id=restored)
        await guest.push("card.restore", id=restored)
        await guest.work(PURGE, now_ms() + 400 * DAY_MS)
        assert await guest.names() == ["Магнит"]

    told(options, story)


def test_an_edit_does_not_lengthen_the_wait_in_the_bin(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        binned = await card(guest)
        await guest.push("card.bin", id=binned)
        await guest.push("card.set", id=binned, fields={"note": "late"})
        await guest.work(PURGE, now_ms() + 30 * DAY_MS + HOUR_MS)
        assert await guest.names() == []

    told(options, story)


def test_an_edit_of_a_purged_card_is_refused_and_the_card_may_be_kept_again(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        gone = await card(guest)
        await guest.push("card.bin", id=gone)
        await guest.work(PURGE, now_ms() + 31 * DAY_MS)
        assert await outcome(guest, "card.set", id=gone, fields={"note": "late"}) == "card-gone"
        assert await outcome(guest, "card.restore", id=gone) == "card-gone"
        assert await outcome(guest, "card.keep", id=gone, card={"name": "Снова"}) == "applied"
        await guest.work(PURGE, now_ms() + 1_000 * DAY_MS)
        assert await guest.names() == ["Снова"]

    told(options, story)


def test_nothing_of_a_purged_card_stays_readable_beside_its_tombstone(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        gone = await card(guest, merchant="magnit", expires_on="2027-01-01")
        await guest.push("card.use", id=gone, use=uuid7(), at="2026-11-22T10:00:00+03:00")
        await guest.push("card.bin", id=gone)
        await guest.work(PURGE, now_ms() + 31 * DAY_MS)

    told(options, story)
    rows = Rows(options)
    assert rows.sql("SELECT box, merchant, expires_on FROM entry") == [(None, None, None)]
    assert rows.count("card_use") == 0


def test_a_purge_moves_the_version_on_so_that_devices_ask(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        gone = await card(guest)
        await guest.push("card.bin", id=gone)
        before = await pulled(guest)
        await guest.work(PURGE, now_ms() + 31 * DAY_MS)
        after = await pulled(guest)
        assert after["cookie"] != before["cookie"]

    told(options, story)


# ---------------------------------------------------------------- tombstones


def test_a_device_away_for_longer_than_tombstones_are_kept_is_sent_everything_anew(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        kept, gone = await card(guest, "Лента"), await card(guest)
        before = await pulled(guest)
        await guest.push("card.bin", id=gone)
        await guest.work(PURGE, now_ms() + 31 * DAY_MS)
        in_time = await pulled(guest, before["cookie"])
        assert ops(in_time) == [("del", f"card/{gone}")]
        await guest.work(PURGE, now_ms() + 500 * DAY_MS)
        assert ops(await pulled(guest, before["cookie"])) == [("clear", None), ("put", f"card/{kept}")]
        assert ops(await pulled(guest, in_time["cookie"])) == []

    told(options, story)
    assert Rows(options).count("entry") == 1


def test_a_purge_broken_off_or_done_twice_loses_and_repeats_nothing(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        cards = [await card(guest) for _ in range(3)]
        for one in cards[:2]:
            await guest.push("card.bin", id=one)
        for _ in range(2):
            await guest.work(PURGE, now_ms() + 31 * DAY_MS)
        fresh = await pulled(guest)
        assert [op["op"] for op in fresh["patch"]].count("put") == 1
        assert len({op["version"] for op in fresh["patch"] if op["op"] == "del"}) == 1

    told(options, story)


# ---------------------------------------------------------------- pictures


PICTURE = samples.encoded(Image.new("RGB", (64, 64), "#336699"), "PNG")


async def is_there(guest: Guest, picture: str) -> bool:
    path = f"/api/pictures/{guest.space}/{picture}"
    return (await guest.http.get(path, params={"account": guest.account})).status_code == 200


async def blobs(guest: Guest) -> int:
    return len([key async for key in guest.service.blobs.list("pictures/")])


def test_a_picture_no_card_shows_goes_after_a_day_with_its_bytes(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        unused, shown = await guest.upload(PICTURE), await guest.upload(PICTURE)
        await card(guest, front=shown)
        await guest.work(LEFTOVERS, now_ms() + DAY_MS - HOUR_MS)
        assert await is_there(guest, unused)
        await guest.work(LEFTOVERS, now_ms() + DAY_MS + HOUR_MS)
        assert [await is_there(guest, unused), await is_there(guest, shown)] == [False, True]
        assert await blobs(guest) == 1

    told(options, story)


def test_the_picture_of_a_card_in_the_bin_stays_and_goes_after_the_purge(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        shown = await guest.upload(PICTURE)
        binned = await card(guest, back=shown)
        await guest.push("card.bin", id=binned)
        await guest.work(LEFTOVERS, now_ms() + 2 * DAY_MS)
        assert await is_there(guest, shown)
        await guest.work(PURGE, now_ms() + 31 * DAY_MS)
        await guest.work(LEFTOVERS, now_ms() + 32 * DAY_MS)
        assert not await is_there(guest, shown)
        assert await blobs(guest) == 0

    told(options, story)


def test_a_picture_that_a_card_no_longer_shows_goes(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        old = await guest.upload(PICTURE)
        showing = await card(guest, front=old)
        await guest.work(LEFTOVERS, now_ms() + 2 * DAY_MS)
        new = await guest.upload(PICTURE)
        await guest.push("card.set", id=showing, fields={"front": new})
        await guest.work(LEFTOVERS, now_ms() + 4 * DAY_MS)
        assert [await is_there(guest, old), await is_there(guest, new)] == [False, True]

    told(options, story)


def test_a_picture_that_went_may_be_uploaded_again_under_its_id(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        picture = await guest.upload(PICTURE)
        await guest.work(LEFTOVERS, now_ms() + 2 * DAY_MS)
        path = f"/api/pictures/{guest.space}/{picture}"
        again = await guest.http.put(path, params={"account": guest.account}, content=PICTURE)
        assert again.status_code == 201
        await card(guest, front=picture)
        await guest.work(LEFTOVERS, now_ms() + 4 * DAY_MS)
        assert await is_there(guest, picture)

    told(options, story)


def test_bytes_that_no_row_names_go_after_a_day(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        await guest.upload(PICTURE)
        await asyncio.to_thread(Rows(options).sql, "DELETE FROM picture RETURNING id")
        await guest.work(LEFTOVERS, now_ms() + DAY_MS - HOUR_MS)
        assert await blobs(guest) == 1
        await guest.work(LEFTOVERS, now_ms() + DAY_MS + HOUR_MS)
        assert await blobs(guest) == 0

    told(options, story)


def test_bytes_of_spaces_the_store_does_not_know_stay_since_they_may_be_anothers(options: ServiceOptions) -> None:
    async def story(guest: Guest) -> None:
        await guest.upload(PICTURE)
        for table in ("picture", "member", "space"):
            await asyncio.to_thread(Rows(options).sql, f"DELETE FROM {table} RETURNING 1")
        await guest.work(LEFTOVERS, now_ms() + 2 * DAY_MS)
        assert await blobs(guest) == 1

    told(options, story)


def test_while_one_card_does_not_open_no_picture_of_its_space_goes(
    options: ServiceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(guest: Guest) -> None:
        unused = await guest.upload(PICTURE)
        await card(guest)
        await asyncio.to_thread(Rows(options).sql, "UPDATE entry SET schema = 99 RETURNING key")
        await guest.work(LEFTOVERS, now_ms() + 2 * DAY_MS)
        assert await is_there(guest, unused)

    told(options, story)
    assert "does not open" in caplog.text
