"""Balances as shops put them: what is refused, which one stays, what each row is answered, and a whole base at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from aggregator import db
from aggregator.crypto import new_ring, read_ring, rotated
from aggregator.jobs import now_ms
from aggregator.partners import outbox
from aggregator.partners.balance_import import CHUNK_ROWS, MAX_LINE_BYTES, MAX_TOLD, Import
from aggregator.partners.balances import MAX_EXPIRING, MAX_ROWS, MOST, Balances
from aggregator.partners.live import moment
from tests.answers import assert_problem
from tests.inside import Guest
from tests.linking import carried, link, number, shop_with
from tests.partners import InsideShop, inside_shop

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(number: str, main: int, second: int = 0, **more: Any) -> dict[str, Any]:
    as_of = (NOW - timedelta(days=30) + timedelta(seconds=second)).isoformat()
    return {"number": number, "main": main, "as_of": as_of, **more}


async def put(shop: InsideShop, number: str, **body: Any) -> httpx.Response:
    given = {"main": 1, "as_of": moment(now_ms()), **body}
    return await shop.call("PUT", f"/cards/{number}/balance", given)


async def batch(shop: InsideShop, rows: Sequence[Any]) -> list[str]:
    """How the rows of a batch were answered."""
    answer = await shop.call("POST", "/balances", {"balances": list(rows)})
    assert answer.status_code == 200, answer.text
    return [result["status"] for result in answer.json()["results"]]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("more than a float carries", {"main": MOST + 1}, "/main"),
    ("less than a float carries", {"pending": -MOST - 1}, "/pending"),
    ("no whole number", {"main": 1.5}, "/main"),
    ("no offset", {"as_of": "2026-11-22T10:00:00"}, "/as_of"),
    ("ahead", {"as_of": moment(now_ms() + 86_400_000)}, "/as_of"),
    ("before 1970", {"as_of": "1969-12-31T23:59:59Z"}, "/as_of"),
    ("no such tier", {"tier": "platinum"}, "/tier"),
    ("too many days", {"expiring": [{"amount": 1, "on": "2027-01-01"}] * (MAX_EXPIRING + 1)}, "/expiring"),
    ("no day", {"expiring": [{"amount": 1, "on": "2027-02-30"}]}, "/expiring/0/on"),
    ("a member that nobody asked for", {"mian": 5}, "/mian"),
]


@pytest.mark.parametrize(("body", "pointer"), [pytest.param(body, pointer, id=name) for name, body, pointer in REFUSED])
def test_a_balance_that_cannot_be_is_refused_alike_alone_and_in_a_batch(
    at: Any, body: dict[str, Any], pointer: str
) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one = number()
        answer = await put(shop, one, **body)
        assert_problem(answer, 422, "invalid")
        assert answer.json()["errors"][0]["pointer"] == pointer
        good, bad = row(one, 5), row(number(), 1) | body
        said = await shop.call("POST", "/balances", {"balances": [bad, good, "nonsense"]})
        results = said.json()["results"]
        assert [result["status"] for result in results] == ["invalid", "stored", "invalid"]
        assert results[0]["problem"]["pointer"] == pointer

    at(story)


def test_a_number_in_which_nothing_is_left_is_refused_and_one_with_blanks_is_not(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        assert_problem(await put(shop, "ABC"), 422, "invalid")
        one = number()
        assert (await put(shop, f"{one[:4]} {one[4:]}")).json() == {"status": "stored"}
        assert (await shop.call("GET", f"/cards/{one}/balance")).json()["main"] == 1

    at(story)


def test_the_newest_time_stays_and_only_its_shop_can_ask_for_it(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        one, now = number(), now_ms()
        days = [{"amount": 9, "on": "2027-05-01"}, {"amount": 4, "on": "2027-01-01"}]
        assert (await put(shop, one, main=2, as_of=moment(now), expiring=days, tier="gold")).json() == {
            "status": "stored"
        }
        assert (await put(shop, one, main=3, as_of=moment(now))).json() == {"status": "older"}
        assert (await put(shop, one, main=4, as_of=moment(now - 1))).json() == {"status": "older"}
        assert (await shop.call("GET", f"/cards/{one}/balance")).json() == {
            "main": 2,
            "pending": 0,
            "expiring": [{"amount": 4, "on": "2027-01-01"}, {"amount": 9, "on": "2027-05-01"}],
            "tier": "gold",
            "as_of": moment(now),
        }
        other = await shop_with(guest)
        assert_problem(await other.call("GET", f"/cards/{one}/balance"), 404, "not-found")
        bare = await inside_shop(guest.http)
        assert_problem(await put(bare, one), 409, "no-programme")
        assert_problem(await bare.call("GET", f"/cards/{one}/balance"), 409, "no-programme")

    at(story)


def test_a_put_writes_the_same_whether_or_not_anybody_holds_the_number(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        held, free = number(), number()
        await link(guest, shop, held)
        await carried(guest)
        answers = []
        for one in (held, free):
            answers.append((await put(shop, one)).content)
            sql = "SELECT kind, length(blind), length(box) FROM outbox WHERE partner_id = $1"
            answers.append(repr([tuple(found) for found in await guest.store.read(sql, str(shop.id))]).encode())
            await db.fetch("DELETE FROM outbox")
        assert answers[:2] == answers[2:]

    at(story)


rows = st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 99)), max_size=8), max_size=5)


def test_batches_end_as_if_their_rows_had_come_one_by_one(at: Any) -> None:
    @hypothesis_settings(max_examples=15)
    @given(rows)
    def told(batches: list[list[tuple[int, int, int]]]) -> None:
        async def story(guest: Guest, shop: InsideShop) -> None:
            names = [number() for _ in range(3)]
            kept: dict[int, tuple[int, int]] = {}
            carried_rows = 0
            for found in batches:
                expected = []
                for which, second, main in found:
                    known = kept.get(which, (-1, 0))
                    expected.append("stored" if known[0] < second else "older")
                    carried_rows += known[0] != second
                    kept[which] = max(known, (second, main), key=lambda one: one[0])
                assert await batch(shop, [row(names[which], main, second) for which, second, main in found]) == expected
            for which, (_, main) in kept.items():
                assert (await shop.call("GET", f"/cards/{names[which]}/balance")).json()["main"] == main
            [waiting] = await db.fetch(
                "SELECT count(*) FROM outbox WHERE partner_id = $1 AND kind = 'balance'", str(shop.id)
            )
            assert waiting[0] == carried_rows

        at(story)

    told()


def test_a_batch_has_a_bound(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        answer = await shop.call("POST", "/balances", {"balances": [1] * (MAX_ROWS + 1)})
        assert_problem(answer, 422, "invalid")

    at(story)


def test_a_number_is_found_under_a_former_key_and_stands_under_the_latest(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        ring = new_ring()
        before, after = Balances(read_ring(ring)), Balances(read_ring(rotated(ring)))
        one = number()
        for balances, main, second in ((before, 1, 1), (after, 2, 0), (after, 3, 2)):
            async with db.transaction():
                rows = [msgspec.Raw(msgspec.json.encode(row(one, main, second)))]
                [result] = await balances.put(shop.id, rows, now_ms())
            assert result.status == ("older" if main == 2 else "stored")
            found = await after.get(shop.id, one, guest.store.read)
            assert found is not None
            assert found.main == (1 if main == 2 else main)
        assert len(await guest.store.read("SELECT 1 FROM balance WHERE partner_id = $1", str(shop.id))) == 1

    at(story)


# ---------------------------------------------------------------- a whole base


@pytest.fixture(autouse=True)
def uncarried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is carried before a test says so."""
    monkeypatch.setattr("aggregator.partners.balance_import.MAX_WAITING", 10_000)


def lines(text: bytes) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in text.splitlines()]


def test_a_base_is_kept_line_by_line_and_bad_ones_are_told_and_counted(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        good = [msgspec.json.encode(row(number(), place)) for place in range(1_200)]
        bad = [b"{", b"x" * (MAX_LINE_BYTES * 3), b"", *([b"[]"] * MAX_TOLD)]
        text = b"\n".join([*bad, *good, good[0]])

        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(text), 1_777):
                yield text[start : start + 1_777]

        answer = await shop.call("POST", "/balances/import", None, content=parts())
        assert answer.headers["content-type"] == "application/x-ndjson"
        told = lines(answer.content)
        troubles = [line for line in told if "line" in line]
        assert [line["line"] for line in troubles] == list(range(1, MAX_TOLD + 1))
        assert troubles[1]["problem"]["code"] == "too-large"
        counts = {"read": 1_304, "stored": 1_200, "older": 1, "invalid": 103}
        assert told[-1] == {"done": True, **counts}
        assert [line["read"] for line in told if "read" in line and "done" not in line] == [1_000]
        await carried(guest)

    at(story)


def test_what_was_told_as_read_is_kept_when_the_sender_breaks_off(at: Any) -> None:
    async def story(guest: Guest, shop: InsideShop) -> None:
        names = [number() for _ in range(2_300)]
        office = guest.service.office

        async def parts() -> AsyncIterator[bytes]:
            for place, one in enumerate(names):
                yield msgspec.json.encode(row(one, place)) + b"\n"
            raise ClientDisconnect

        work = Import(Balances(guest.service.keys), office.carrier, shop.id, guest.store, lambda amount: None)
        told = [msgspec.json.decode(line) async for line in work.run(parts())]
        read = told[-1]["read"]
        assert (read, "done" in told[-1]) == (2_000, False)
        [kept] = await guest.store.read("SELECT count(*) FROM balance WHERE partner_id = $1", str(shop.id))
        assert kept[0] >= read
        again = b"\n".join(msgspec.json.encode(row(one, place)) for place, one in enumerate(names))
        answer = await shop.call("POST", "/balances/import", None, content=again)
        done = lines(answer.content)[-1]
        assert (done["read"], done["stored"], done["older"]) == (2_300, 2_300 - kept[0], kept[0])
        await carried(guest)

    at(story)


def test_an_import_waits_while_cards_have_not_been_told(at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.partners.balance_import.MAX_WAITING", CHUNK_ROWS)

    async def story(guest: Guest, shop: InsideShop) -> None:
        # What was put aside, as many as it may be, is nothing to wait for.
        aside = [outbox.Row(outbox.new_id(), str(shop.id), "failed-link", None, None, 0) for _ in range(CHUNK_ROWS)]
        await outbox.add(aside)
        text = b"\n".join(msgspec.json.encode(row(number(), place)) for place in range(CHUNK_ROWS * 2))
        importing = asyncio.create_task(shop.call("POST", "/balances/import", None, content=text))
        sql = "SELECT count(*) FROM balance WHERE partner_id = $1"
        while (await guest.store.read(sql, str(shop.id)))[0][0] < CHUNK_ROWS:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert (await guest.store.read(sql, str(shop.id)))[0][0] == CHUNK_ROWS
        await carried(guest)
        assert lines((await importing).content)[-1]["stored"] == CHUNK_ROWS * 2
        await carried(guest)

    at(story)
