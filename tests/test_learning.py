"""What shops' numbers look like is learned from many people at once, and nothing of anybody is told by it."""

import argparse
import asyncio
import itertools
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import IntegrityError

from aggregator import app, db
from aggregator.accounts.models import Account
from aggregator.catalog.cards import moment
from aggregator.codes import gs1_check_digit, gs1_valid, luhn_valid
from aggregator.crypto import KeyRing
from aggregator.errors import Invalid
from aggregator.jobs import Job, Runner
from aggregator.merchants import commands, known, learning
from aggregator.merchants.directory import Directory, Merchant
from aggregator.merchants.known import KnownPatterns, Withdrawal
from aggregator.merchants.learning import Card, Code, Learner, Tally
from aggregator.merchants.patterns import Pattern
from aggregator.settings import read
from aggregator.sync.log import bound
from aggregator.sync.models import Entry, Member, Space
from tests.launcher import Ended, ended
from tests.service import Person, ServiceOptions, code, running, uuid7
from tests.shapes import shape_of
from tests.stores import Rows

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
SHOPS = [Merchant(slug=slug, names=(slug.title(),)) for slug in ("magnit", "lenta", "dixy")]


def digits(count: int) -> str:
    """So many random digits."""
    return "".join(random.choices("0123456789", k=count))


def ean(beginning: str, length: int = 13) -> str:
    """A random EAN with a right check digit."""
    body = beginning + digits(length - 1 - len(beginning))
    return body + gs1_check_digit(body)


def luhn(beginning: str, length: int = 16) -> str:
    """A random number with a right Luhn digit."""
    body = beginning + digits(length - 1 - len(beginning))
    return next(body + last for last in "0123456789" if luhn_valid(body + last))


def ean_card(beginning: str = "4607") -> dict[str, Any]:
    """A card with a random EAN-13 code."""
    return {"codes": [code(ean(beginning))]}


@dataclass
class Town:
    """People with cards, in an open store, and somebody who learns from them."""

    store: db.Store
    keys: KeyRing
    directory: Directory
    patterns: KnownPatterns = field(init=False)

    def __post_init__(self) -> None:
        self.patterns = KnownPatterns(self.directory)

    async def settle(
        self,
        count: int,
        card: Callable[[], dict[str, Any]] = ean_card,
        cards: int = 1,
        slug: str | None = "magnit",
        age_days: float = 30,
        kept_days: float = 30,
    ) -> list[str]:
        """New people, each with new cards in a space of their own; gives the spaces."""
        people = [(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(count)]
        made = NOW_MS - round(age_days * DAY_MS)
        await Account.bulk_create([Account(id=a, email=a, email_key=a, created_ms=made) for a, _ in people])
        await Space.bulk_create(
            [Space(id=space, kind="person", version=1, floor=0, created_ms=made) for _, space in people]
        )
        await Member.bulk_create([Member(space_id=space, account_id=a, role="owner") for a, space in people])
        for _, space in people:
            await self.keep(space, [card() for _ in range(cards)], slug, kept_days)
        return [space for _, space in people]

    async def keep(
        self, space: str, cards: Sequence[dict[str, Any]], slug: str | None = "magnit", kept_days: float = 30
    ) -> None:
        """New cards in a space."""
        kept = {"name": "Карта", "created_at": moment(NOW_MS - round(kept_days * DAY_MS))}
        await Entry.bulk_create([self._entry(space, {**kept, **card}, slug) for card in cards])

    def _entry(self, space: str, body: dict[str, Any], slug: str | None) -> Entry:
        key = f"card/{uuid7()}"
        box = self.keys.seal(msgspec.json.encode(body), bound(space, key, 1))
        return Entry(space_id=space, key=key, version=1, schema=1, box=box, merchant=slug)

    async def learn(self, directory: Directory | None = None) -> list[Pattern]:
        """Count everything now, and give what is known then."""
        self.directory = directory or self.directory
        self.patterns = KnownPatterns(self.directory)
        await Learner(self.keys, self.directory, self.patterns).run(self.store, NOW_MS)
        return list(self.patterns.current)

    async def looks(self) -> set[tuple[str, str | None, int, str]]:
        """What is known after counting now: shop, format, length, prefix."""
        return {(p.slug, p.format, p.length, p.prefix) for p in await self.learn()}


@asynccontextmanager
async def town_of(options: ServiceOptions, directory: Directory) -> AsyncIterator[Town]:
    chosen = read({"data": str(options.data)}, options.environment)
    keys = app.ring(chosen)
    async with app.opened_store(chosen, keys) as store:
        yield Town(store, keys, directory)


Story = Callable[[Callable[[Town], Awaitable[None]]], None]


@pytest.fixture
def tell(options: ServiceOptions) -> Story:
    """Tells a story of a town."""

    def tell(story: Callable[[Town], Awaitable[None]]) -> None:
        async def told() -> None:
            async with town_of(options, Directory(SHOPS)) as town:
                await story(town)

        asyncio.run(told())

    return tell


# Who counts


def test_what_nineteen_people_share_is_not_known_and_what_twenty_share_is(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(19)
        assert await town.learn() == []
        await town.settle(1)
        assert await town.learn() == [Pattern("magnit", "ean_13", 13, "4607", "gs1", 1.0, "learned", 20)]

    tell(story)


def test_people_and_cards_of_less_than_a_week_do_not_count(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(19)
        await town.settle(5, age_days=6.9)
        await town.settle(5, kept_days=6.9)
        assert await town.learn() == []
        await town.settle(1, age_days=7, kept_days=7)
        assert [pattern.accounts for pattern in await town.learn()] == [20]

    tell(story)


def test_somebody_with_thirty_cards_counts_once(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(18)
        await town.settle(1, cards=30)
        assert await town.learn() == []
        await town.settle(1, cards=30)
        assert [pattern.accounts for pattern in await town.learn()] == [20]

    tell(story)


def test_a_shared_space_counts_for_its_owner_once_and_for_nobody_else(tell: Story) -> None:
    async def story(town: Town) -> None:
        spaces = await town.settle(19)
        [home] = await town.settle(1, slug="lenta")
        [owner] = await db.fetch("SELECT account_id FROM member WHERE space_id = $1", home)
        await Member.bulk_create([Member(space_id=space, account_id=owner[0], role="member") for space in spaces])
        assert await town.learn() == []
        shared = str(uuid.uuid4())
        await Space.bulk_create([Space(id=shared, kind="household", version=1, floor=0, created_ms=1)])
        await Member.bulk_create([Member(space_id=shared, account_id=owner[0], role="owner")])
        await town.keep(shared, [ean_card(), ean_card()])
        assert [pattern.accounts for pattern in await town.learn()] == [20]

    tell(story)


def test_cards_in_the_bin_of_no_shop_or_of_an_unknown_one_do_not_count(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(19)
        await town.settle(5, lambda: {**ean_card(), "binned_at": moment(NOW_MS)})
        await town.settle(25, slug=None)
        await town.settle(25, slug="never-heard-of")
        assert await town.learn() == []

    tell(story)


def test_a_card_that_does_not_open_costs_itself_only(tell: Story, caplog: pytest.LogCaptureFixture) -> None:
    async def story(town: Town) -> None:
        [space, *_] = await town.settle(21)
        await db.fetch("UPDATE entry SET box = $1 WHERE space_id = $2", b"?" * 60, space)
        await town.keep(space, [{"number": ["4607"]}])
        assert [pattern.accounts for pattern in await town.learn()] == [20]

    tell(story)
    assert [record.getMessage() for record in caplog.records] == ["2 cards do not open and were not counted"]


def test_a_pattern_that_fell_below_twenty_is_gone(tell: Story) -> None:
    async def story(town: Town) -> None:
        [leaving, *_] = await town.settle(20)
        assert await town.learn() != []
        await db.fetch("DELETE FROM space WHERE id = $1", leaving)
        assert await town.learn() == []
        assert await db.fetch("SELECT * FROM pattern") == []

    tell(story)


def test_many_pages_and_groups_come_to_the_same(tell: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(town: Town) -> None:
        for space in await town.settle(20, slug="magnit"):
            for slug in ("lenta", "dixy"):
                await town.keep(space, [ean_card()], slug)
        whole = await town.learn()
        assert len(whole) == 3
        monkeypatch.setattr(learning, "PAGE", learning.PAGE.replace("LIMIT 500", "LIMIT 7"))
        monkeypatch.setattr(learning, "GROUP_CARDS", 45)
        assert await town.learn() == whole

    tell(story)


# What is told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("4600682000006", "460068"),
        ("46009333", "4"),
        ("7654321", ""),
        ("654321", ""),
        ("12", ""),
        ("AB460068123456", ""),
        ("46AB0068123456", "46"),
        ("460068-1234-56", "46006"),
        ("460068AB", ""),
        ("46006812AB", "4"),
        ("٤٦٠٠٦٨٢٠٠٠٠٠٦", ""),
        ("", ""),
    ],
)
def test_never_more_is_told_than_leaves_seven_digits_unknown(text: str, told: str) -> None:
    assert learning.beginning(text) == told


def test_of_short_numbers_less_is_told_even_if_all_begin_alike(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(20, lambda: {"codes": [code(ean("460068", 8), "ean_8")]})
        await town.settle(20, lambda: {"number": f"12345{digits(2)}"}, slug="lenta")
        await town.settle(20, lambda: {"number": "123456"}, slug="dixy")
        looks = {("magnit", "ean_8", 8, "4"), ("lenta", None, 7, ""), ("dixy", None, 6, "")}
        assert await town.looks() == looks

    tell(story)


def test_of_random_numbers_only_the_length_is_told(tell: Story) -> None:
    async def story(town: Town) -> None:
        random.seed(1)
        await town.settle(300, lambda: {"codes": [code(digits(10), "code_128")]})
        assert await town.looks() == {("magnit", "code_128", 10, "")}

    tell(story)


def test_a_shop_may_number_its_cards_in_several_ways(tell: Story) -> None:
    async def story(town: Town) -> None:
        random.seed(2)
        await town.settle(40, lambda: ean_card("460701"))
        await town.settle(30, lambda: ean_card("460702"))
        await town.settle(30, lambda: {"number": luhn("7789")})
        looks = {("ean_13", "460701"), ("ean_13", "460702"), ("ean_13", "46070"), (None, "7789")}
        found = {(p.format, p.prefix): p for p in await town.learn()}
        assert found.keys() == looks
        assert found["ean_13", "460701"].share == pytest.approx(40 / 70)
        assert found["ean_13", "46070"].share == found[None, "7789"].share == 1
        assert (found[None, "7789"].check, found["ean_13", "460702"].check) == ("luhn", "gs1")

    tell(story)


def test_one_odd_card_in_thirty_hides_neither_prefix_nor_check_digit(tell: Story) -> None:
    async def story(town: Town) -> None:
        random.seed(3)
        await town.settle(29, lambda: {"number": luhn("7789")})
        await town.settle(1, lambda: {"number": "1111111111111112"})
        [found] = await town.learn()
        assert (found.prefix, found.check, found.accounts) == ("7789", "luhn", 29)
        await town.settle(1, lambda: {"number": "1111111111111112"})
        assert {(p.prefix, p.check) for p in await town.learn()} == {("", None), ("7789", "luhn")}

    tell(story)


def test_printed_numbers_are_counted_without_their_blanks(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(10, lambda: {"number": f"7789 0012 {digits(4)} {digits(4)}"})
        await town.settle(10, lambda: {"number": f"77890012-{digits(8)}"})
        assert await town.looks() == {("magnit", None, 16, "778900")}

    tell(story)


# Nothing of anybody


def test_numbers_are_in_no_table_no_file_and_no_log(
    tell: Story, options: ServiceOptions, caplog: pytest.LogCaptureFixture
) -> None:
    random.seed(4)
    numbers = [luhn("778900") for _ in range(25)]
    codes = [ean("460700") for _ in range(25)]

    async def story(town: Town) -> None:
        cards = ({"number": n, "codes": [code(c)], "pin": n[-4:]} for n, c in zip(numbers, codes, strict=True))
        [space, *_] = await town.settle(25, lambda: next(cards))
        await town.keep(space, [{"number": [numbers[0]]}])
        assert len(await town.learn()) == 2
        await town.learn()
        await db.fetch("DELETE FROM pattern WHERE length = 13")
        await db.fetch("CREATE UNIQUE INDEX fault ON pattern (slug)")
        assert await Runner(town.store, [], lambda: NOW_MS).turn(
            Job("learn", timedelta(days=1), Learner(town.keys, town.directory, town.patterns).run)
        )

    with caplog.at_level(logging.DEBUG):
        tell(story)
    assert "the job learn failed" in caplog.text
    kept = "".join(spelt(row) for table in shape_of(Rows(options)).values() for row in table.rows)
    kept += "".join(file.read_bytes().decode("latin-1") for file in options.data.rglob("*") if file.is_file())
    assert "778900" in kept
    for number in (*numbers, *codes):
        # Seven digits are one more than may be told.
        assert number[:7] not in kept
        assert number[-7:] not in kept
        assert number not in caplog.text
        assert number[-7:] not in caplog.text


def spelt(row: Any) -> str:
    """A row as text, bytes as they are."""
    return " ".join(
        value.decode("latin-1") if isinstance(value, bytes | memoryview) else str(value) for value in row.values()
    )


def test_a_count_that_breaks_off_leaves_what_was_known(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(20)
        before = await town.learn()
        await town.settle(20, lambda: ean_card("29"), slug="lenta")
        # The second of two rows cannot be written.
        await db.fetch("CREATE UNIQUE INDEX fault ON pattern (length)")
        with pytest.raises(IntegrityError):
            await town.learn()
        await town.patterns.refresh(town.store)
        assert list(town.patterns.current) == before
        await db.fetch("DROP INDEX fault")
        assert {pattern.slug for pattern in await town.learn()} == {"magnit", "lenta"}

    tell(story)


def test_counting_twice_at_once_does_no_harm(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(25)
        await asyncio.gather(
            *(Learner(town.keys, town.directory, town.patterns).run(town.store, NOW_MS) for _ in "123")
        )
        assert len(await db.fetch("SELECT * FROM pattern")) == 1

    tell(story)


# Withdrawn


def test_what_is_withdrawn_stays_away_until_it_is_reinstated(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(20)
        await town.settle(20, lambda: {"number": luhn("7789")})
        await town.learn()
        rule = Withdrawal("magnit", "ean_13", prefix="46")
        assert await known.withdraw(rule, town.directory) == 1
        await town.patterns.refresh(town.store)
        assert [pattern.prefix for pattern in town.patterns.current] == ["7789"]
        assert [pattern.prefix for pattern in await town.learn()] == ["7789"]
        assert len(await db.fetch("SELECT * FROM pattern")) == 1
        assert await known.reinstate(Withdrawal("magnit", "qr_code"), town.directory) == 0
        assert await known.reinstate(Withdrawal("magnit"), town.directory) == 1
        assert {pattern.prefix for pattern in await town.learn()} == {"4607", "7789"}

    tell(story)


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (Withdrawal("magnit"), set()),
        (Withdrawal("magnit", "number"), {"ean_13"}),
        (Withdrawal("magnit", "ean_13", 13, "4607"), {None}),
        (Withdrawal("magnit", "ean_13", 13, "46071"), {"ean_13", None}),
        (Withdrawal("magnit", "ean_13", 8), {"ean_13", None}),
        (Withdrawal("magnit", length=16), {"ean_13"}),
        (Withdrawal("lenta"), {"ean_13", None}),
    ],
)
def test_a_withdrawal_takes_what_it_names_and_nothing_else(
    tell: Story, rule: Withdrawal, left: set[str | None]
) -> None:
    async def story(town: Town) -> None:
        await town.settle(20, lambda: {**ean_card(), "number": luhn("7789")})
        await town.learn()
        await known.withdraw(rule, town.directory)
        await known.withdraw(rule, town.directory)
        assert {pattern.format for pattern in await town.learn()} == left

    tell(story)


# Declared


def test_what_a_shop_declares_is_known_beside_what_was_learned_until_it_takes_it_back(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(20)
        declared = Pattern("anybody", None, 16, "7789", "luhn")
        await known.declare("magnit", [declared, declared], town.directory)
        found = {(p.slug, p.source): p for p in await town.learn()}
        assert found.keys() == {("magnit", "learned"), ("magnit", "declared")}
        assert found["magnit", "declared"] == Pattern("magnit", None, 16, "7789", "luhn", 1.0, "declared", 0)
        await known.withdraw(Withdrawal("magnit", "number"), town.directory)
        await known.declare("magnit", [declared], town.directory)
        assert [pattern.source for pattern in await town.learn()] == ["learned"]
        await known.reinstate(Withdrawal("magnit"), town.directory)
        await known.declare("magnit", [declared], town.directory)
        await known.declare("magnit", [], town.directory)
        assert [pattern.source for pattern in await town.learn()] == ["learned"]

    tell(story)


@pytest.mark.parametrize(
    ("pattern", "pointer"),
    [
        (Pattern("magnit", "ean_99", 13), "/patterns/1/format"),
        (Pattern("magnit", None, 0), "/patterns/1/length"),
        (Pattern("magnit", None, 65), "/patterns/1/length"),
        (Pattern("magnit", None, 16, "1234567"), "/patterns/1/prefix"),
        (Pattern("magnit", None, 8, "123"), "/patterns/1/prefix"),
        (Pattern("magnit", None, 16, "12a"), "/patterns/1/prefix"),
        (Pattern("magnit", None, 16, share=0), "/patterns/1/share"),
        (Pattern("magnit", None, 16, share=float("nan")), "/patterns/1/share"),
    ],
)
def test_a_declared_pattern_that_cannot_be_is_named(pattern: Pattern, pointer: str) -> None:
    right = Pattern("magnit", None, 16, "7789")
    with pytest.raises(Invalid) as refused:
        asyncio.run(known.declare("magnit", [right, pattern], Directory(SHOPS)))
    assert refused.value.extra["errors"][0]["pointer"] == pointer


# Renamed and merged shops


def test_merging_shops_leaves_every_card_as_it_is_and_counts_them_together(
    tell: Story, options: ServiceOptions
) -> None:
    async def story(town: Town) -> None:
        await town.settle(12, slug="magnit")
        await town.settle(12, slug="dixy")
        assert await town.learn() == []
        before = await asyncio.to_thread(kept, options)
        merged = Directory([shop for shop in SHOPS if shop.slug != "dixy"], {"dixy": "magnit"})
        assert [(p.slug, p.accounts) for p in await town.learn(merged)] == [("magnit", 24)]
        assert await asyncio.to_thread(kept, options) == before

    tell(story)


def kept(options: ServiceOptions) -> list[Any]:
    """Everything that cards are made of."""
    shape = shape_of(Rows(options))
    return [sorted(map(spelt, shape[name].rows)) for name in ("entry", "space", "receipt", "client")]


def test_what_was_known_or_withdrawn_under_a_former_slug_is_so_under_the_new_one(tell: Story) -> None:
    async def story(town: Town) -> None:
        await town.settle(20, slug="dixy")
        await town.settle(20, lambda: {"number": luhn("7789")}, slug="dixy")
        await town.learn()
        await known.withdraw(Withdrawal("dixy", "number"), town.directory)
        merged = Directory([shop for shop in SHOPS if shop.slug != "dixy"], {"dixy": "magnit"})
        assert [(p.slug, p.format) for p in await known.read(town.store, merged)] == [("magnit", "ean_13")]
        assert [(p.slug, p.format) for p in await town.learn(merged)] == [("magnit", "ean_13")]

    tell(story)


def test_a_card_of_a_shop_that_was_merged_away_is_kept_edited_and_pulled_under_the_slug_it_has(person: Person) -> None:
    card_id = person.keep(merchant="merged-away-long-ago")
    assert person.push("card.set", id=card_id, fields={"merchant": "merged-away-too"})["status"] == "applied"
    assert person.cards()[card_id]["merchant"] == "merged-away-too"


# The service


def test_a_service_that_starts_knows_what_was_learned(options: ServiceOptions) -> None:
    random.seed(5)
    shop = next(iter(Directory.read())).slug

    async def story() -> None:
        async with town_of(options, Directory.read()) as town:
            await town.settle(20, slug=shop)
            await town.learn()

    asyncio.run(story())

    async def started() -> Sequence[Pattern]:
        service = app.Service(read({"data": str(options.data), "workers": "0"}, options.environment))
        async with service.lifespan(None):  # type: ignore[arg-type]
            return service.patterns.current.fitting("ean_13", ean("4607"))

    assert [pattern.slug for pattern in asyncio.run(started())] == [shop]


def test_a_card_kept_through_the_service_is_counted_a_week_later(options: ServiceOptions) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        person.keep(merchant="lenta", number="7789", codes=[code(ean("4607"))])

    async def story() -> None:
        async with town_of(options, Directory(SHOPS)) as town:
            [[made]] = await db.fetch("SELECT created_ms FROM account")
            days = (NOW_MS - made) / DAY_MS + 30
            await town.settle(19, slug="lenta", age_days=days, kept_days=days)
            learner = Learner(town.keys, town.directory, town.patterns)
            await learner.run(town.store, made + 6 * DAY_MS)
            assert list(town.patterns.current) == []
            await learner.run(town.store, made + 8 * DAY_MS)
            [found] = town.patterns.current
            assert (found.slug, found.format, found.prefix, found.accounts) == ("lenta", "ean_13", "4607", 20)

    asyncio.run(story())


# The operator


async def ask(town: Town, *arguments: str) -> list[str]:
    """What the command `patterns` says, by lines."""
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    return (await commands.carry_out(town.store, town.directory, vars(parser.parse_args(arguments)))).splitlines()


def test_the_operator_sees_what_is_known_withdraws_it_and_reinstates_it(tell: Story) -> None:
    async def story(town: Town) -> None:
        assert await ask(town) == [commands.NONE_YET]
        await town.settle(20, lambda: {**ean_card(), "number": luhn("7789")})
        await town.settle(20, slug="lenta")
        await town.learn()
        head, *table = [line.split() for line in await ask(town, "list")]
        assert head == ["shop", "format", "length", "begins", "check", "share", "accounts", "source"]
        number = ["magnit", "number", "16", "7789", "luhn", "100%", "20", "learned"]
        eans = [[slug, "ean_13", "13", "4607", "gs1", "100%", "20", "learned"] for slug in ("lenta", "magnit")]
        assert table == [eans[0], number, eans[1]]
        [said] = await ask(town, "withdraw", "magnit", "--format", "number", "--prefix", "77")
        assert "went now: 1" in said
        _, *rows, last = await ask(town)
        assert [row.split() for row in rows] == eans
        assert last == "Withdrawn: magnit, number, beginning with 77."
        await ask(town, "reinstate", "magnit", "--prefix", "77")
        await town.learn()
        assert [line.split() for line in (await ask(town))[1:]] == table

    tell(story)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("withdraw", "no-such-shop"), "no-such-shop"),
        (("withdraw",), "''"),
        (("withdraw", "magnit", "--format", "barcode"), "--format"),
        (("withdraw", "magnit", "--prefix", "12a"), "--prefix"),
        (("withdraw", "magnit", "--prefix", "1234567"), "--prefix"),
        (("withdraw", "magnit", "--length", "long"), "--length"),
        (("reinstate", "magnit"), "Nothing is withdrawn"),
    ],
)
def test_what_the_operator_cannot_ask_is_named_and_changes_nothing(
    tell: Story, arguments: tuple[str, ...], named: str
) -> None:
    async def story(town: Town) -> None:
        with pytest.raises(commands.AskedWrong, match=named):
            await ask(town, *arguments)
        assert await known.withdrawals(town.store, town.directory) == []

    tell(story)


def test_the_command_prints_what_is_known_and_refuses_in_one_line(options: ServiceOptions) -> None:
    def run(*arguments: str) -> Ended:
        return ended(options.words("patterns", *arguments), options.env())

    assert run() == Ended(0, f"{commands.NONE_YET}\n", "")
    assert run("withdraw", "no-such-shop") == Ended(1, "", "The directory has no shop 'no-such-shop'.\n")


# Against a plain count


def beginnings(cards: Sequence[tuple[str, str, Card]]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = defaultdict(set)
    for account, slug, card in cards:
        for format, text in card.texts():
            found[account, slug, format, len(text)].add(learning.beginning(text))
    return found


def plainly(cards: Sequence[tuple[str, str, Card]]) -> set[Pattern]:
    """The same by looking at every prefix of every number."""
    looks: dict[Any, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    everybody: dict[Any, set[str]] = defaultdict(set)
    wrong: dict[Any, set[str]] = defaultdict(set)
    ways = beginnings(cards)
    for account, slug, card in cards:
        for format, text in card.texts():
            everybody[slug, format is None].add(account)
            if learning.beginning(text) not in sorted(ways[account, slug, format, len(text)])[:3]:
                continue
            for end in range(len(learning.beginning(text)) + 1):
                looks[slug, format, len(text)][text[:end]].add(account)
                for check, valid in (("luhn", luhn_valid), ("gs1", gs1_valid)):
                    if not valid(text):
                        wrong[slug, format, len(text), text[:end], check].add(account)
    found = set()
    for (slug, format, length), prefixes in looks.items():
        total = len(everybody[slug, format is None])
        for prefix in told(prefixes, total):
            of_it = prefixes[prefix]
            right = {
                check: len(of_it - wrong[slug, format, length, prefix, check]) / len(of_it) for check in ("luhn", "gs1")
            }
            best = "luhn" if right["luhn"] >= right["gs1"] else "gs1"
            check = best if right[best] >= 0.95 and right[best] * len(of_it) >= 20 else None
            found.add(Pattern(slug, format, length, prefix, check, len(of_it) / total, "learned", len(of_it)))  # type: ignore[arg-type]
    return found


def told(prefixes: dict[str, set[str]], total: int) -> list[str]:
    """The prefixes worth telling, shorter ones first."""
    found: list[str] = []
    for prefix in sorted(prefixes, key=len):
        count = len(prefixes[prefix])
        nearly = any(len(prefixes[more]) >= 0.95 * count for more in prefixes if more[:-1] == prefix and more)
        shorter = max((one for one in found if prefix.startswith(one)), key=len, default=None)
        by_chance = 0 if shorter is None else len(prefixes[shorter]) / 10 ** (len(prefix) - len(shorter))
        if count >= 20 and count >= total / 20 and not nearly and count >= 2 * by_chance:
            found.append(prefix)
    return found


@dataclass(frozen=True)
class Series:
    """A way to number cards, and who has such cards."""

    slug: str
    format: str | None
    prefix: str
    length: int
    right: bool
    first: int
    people: int
    each: int

    def cards(self, chance: random.Random) -> list[tuple[str, str, Card]]:
        """The cards of everybody."""
        found = []
        for account, _ in itertools.product(range(self.first, self.first + self.people), range(self.each)):
            body = self.prefix + "".join(chance.choices("0123456789", k=self.length - 1 - len(self.prefix)))
            last = next(d for d in "0123456789" if luhn_valid(body + d)) if self.right else chance.choice("0123456789")
            text = body + last
            card = Card("", number=text) if self.format is None else Card("", codes=(Code(self.format, text),))
            found.append((str(account), self.slug, card))
        return found


SERIES = st.builds(
    Series,
    slug=st.sampled_from(["magnit", "lenta"]),
    format=st.sampled_from([None, "code_128"]),
    prefix=st.text("12", max_size=7),
    length=st.sampled_from([8, 9, 16]),
    right=st.booleans(),
    first=st.integers(0, 30),
    people=st.integers(0, 45),
    each=st.integers(1, 3),
)


def test_cards_for_every_beginning_do_not_show_which_one_a_strangers_number_has() -> None:
    def found(*numbers: str) -> list[Pattern]:
        tally = Tally()
        for sybil in range(19):
            for digits in range(1_000):
                tally.add("lenta", f"sybil {sybil}", Card("", codes=(Code("ean_13", f"{digits:03}0000000000"),)))
        for place, number in enumerate(numbers):
            tally.add("lenta", f"person {place}", Card("", codes=(Code("ean_13", number),)))
        return tally.patterns()

    assert found("4628811234567") == found("9991111234567") == found()


@given(st.lists(SERIES, max_size=4), st.randoms(use_true_random=False))
def test_counting_is_a_plain_count_whatever_the_order(series: list[Series], chance: random.Random) -> None:
    cards = [card for one in series for card in one.cards(chance)]
    expected = plainly(cards)
    for _ in range(2):
        tally = Tally()
        for account, slug, card in cards:
            tally.add(slug, account, card)
        found = tally.patterns()
        assert len(found) == len(set(found))
        assert set(found) == expected
        chance.shuffle(cards)
    assert all(pattern.accounts >= 20 for pattern in expected)
