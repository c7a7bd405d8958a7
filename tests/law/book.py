"""What was done and what was answered, written down apart from the service, and what must therefore be true.

Every device writes one field of its own, so that whose edit stands needs no knowledge of an order; bins and uses are
followed in the order in which the server carried them out.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


class Broken(AssertionError):
    """The law was broken."""


BINNED = "binned_at"
SERVERS = {"created_at", "uses", "last_used_at", "brought_by"}
_MARKS: Mapping[str, Body] = {"card.bin": {BINNED: True}, "card.restore": {BINNED: False}}


def demand(holds: object, words: str) -> None:
    """Raises Broken with the words."""
    if not holds:
        raise Broken(words)


@dataclass
class Standing:
    """A card as the server must have it: its fields, BINNED among them where it is in the bin. What several devices
    wrote at one time is `unsure`. `values` is all that was ever written.
    """

    fields: Body
    uses: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)


@dataclass
class Timeline:
    """What the server has carried out; a restore from backup puts an earlier one in its place."""

    seen: set[tuple[str, int]] = field(default_factory=set)
    cards: dict[str, Standing] = field(default_factory=dict)


@dataclass
class Book:
    """One account's history."""

    now: Timeline = field(default_factory=Timeline)
    restores: int = 0
    keepers: dict[str, str] = field(default_factory=dict)
    writes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    _at_once: dict[tuple[str, str], set[str]] | None = None

    # ------------------------------------------------------------ what devices do

    def keep(self, device: str, card: str) -> None:
        """The device has a new card."""
        self.keepers[card] = device

    def write(self, device: str, card: str, value: str) -> None:
        """The device has set its field of the card."""
        self.writes.setdefault((card, device), []).append(value)

    def mistake(self, device: str, value: str) -> None:
        """The device has set its field to what the server will refuse."""
        self.mistakes[value] = device

    def use(self, card: str) -> None:
        """A device has shown the card."""
        self.uses[card] = self.uses.get(card, 0) + 1

    # ------------------------------------------------------------ what the server does

    def carried_out(self, device: str, client: str, mutations: Sequence[Body], outcomes: Mapping[int, bool]) -> None:
        """The server has receipts for these mutations of a client: applied, or refused."""
        for mutation in mutations:
            number = mutation["id"]
            if number in outcomes and (client, number) not in self.now.seen:
                self.now.seen.add((client, number))
                if outcomes[number]:
                    self._apply(device, mutation["name"], mutation["args"])

    def answered(self, mutations: Sequence[Body], outcomes: Mapping[int, bool]) -> None:
        """A device has seen these outcomes."""
        for mutation in mutations:
            if outcomes.get(mutation["id"]):
                for value in _values(mutation["args"]):
                    self.told[value] = self.restores

    def purge(self, cards: Iterable[str]) -> None:
        """The bin was emptied of these."""
        for card in cards:
            gone = self.now.cards.pop(card)
            self.purged |= {card, *gone.values}

    def copy(self, queue: Iterable[Body]) -> None:
        """Another device will say the same; of what both say, whoever speaks later stands."""
        for mutation in queue:
            self.shared |= set(_values(mutation["args"]))

    def revoke(self, device: str) -> None:
        """The device's session was ended, and it has wiped itself."""
        self.revoked.add(device)

    def snapshot(self) -> Timeline:
        """What a backup holds."""
        return copy.deepcopy(self.now)

    def restore(self, timeline: Timeline) -> None:
        """A backup has taken the server's place."""
        self.now = copy.deepcopy(timeline)
        self.restores += 1

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside the block devices speak at the same time, and nobody knows who was first."""
        self._at_once = {}
        yield
        met, self._at_once = self._at_once, None
        for (card, name), devices in met.items():
            if len(devices) > 1 and card in self.now.cards:
                self.now.cards[card].unsure.add(name)

    def _apply(self, device: str, name: str, args: Body) -> None:
        card = args["id"]
        if name == "card.keep" and card not in self.now.cards:
            self.now.cards[card] = Standing({})
        elif name == "card.keep":
            # It changes nothing, unless it came first.
            self._meet(device, card, [*args["card"], BINNED])
            return
        demand(card in self.now.cards, f"{name} was applied to {card}, which is not there")
        standing = self.now.cards[card]
        written = args.get("card") or args.get("fields") or _MARKS.get(name, {})
        standing.fields |= written
        standing.values |= set(_values(args))
        if name == "card.use":
            standing.uses.add(args["use"])
        self._meet(device, card, written)

    def _meet(self, device: str, card: str, names: Iterable[str]) -> None:
        for name in names:
            if self._at_once is None:
                self.now.cards[card].unsure.discard(name)
            else:
                self._at_once.setdefault((card, name), set()).add(device)

    # ------------------------------------------------------------ what must be true

    def judge_server(self, truth: Mapping[str, Body]) -> None:
        """Compare with the cards that a fresh device gets. Raises Broken."""
        demand(truth.keys() == self.now.cards.keys(), f"cards {sorted(truth)} instead of {sorted(self.now.cards)}")
        for card, standing in self.now.cards.items():
            body = truth[card]
            for name in (standing.fields.keys() | body.keys()) - SERVERS - standing.unsure:
                value, found = standing.fields.get(name), body.get(name)
                is_right = bool(found) == bool(value) if name == BINNED else found == value
                demand(is_right, f"{name} of {card} should be {value} and is {found}")
            uses = body.get("uses", 0)
            demand(uses == len(standing.uses), f"{card} was used {len(standing.uses)} times and not {uses}")

    def judge(self, truth: Mapping[str, Body], refusals: Mapping[str, list[Body]]) -> None:
        """When all is at rest: no device's deed is lost. `refusals` are those of each device that is still there.
        Raises Broken.
        """
        self.judge_server(truth)
        refused = json.dumps(list(refusals.values()), ensure_ascii=False)
        for card, device in self.keepers.items():
            is_safe = device in refusals or self.told.get(f"keep {card}") == self.restores
            demand(card in truth or card in self.purged or not is_safe, f"card {card} of {device} is lost")
        for (card, device), values in self.writes.items():
            self._judge_writes(device, values, truth.get(card, {}), refused, is_here=device in refusals)
        for value, device in self.mistakes.items():
            demand(device not in refusals or value in refused, f"{device} never heard that {value[:20]} was refused")
        for card, uses in self.uses.items():
            found = truth.get(card, {}).get("uses", 0)
            demand(found == uses or card in self.purged or self.revoked, f"{card} was shown {uses} times, not {found}")

    def _judge_writes(self, device: str, values: list[str], body: Body, refused: str, *, is_here: bool) -> None:
        last, known = values[-1], set(_values({"fields": body}))
        if last in known or last in self.purged or last in refused or known & self.shared & set(values):
            return
        demand(not is_here, f"{device} wrote {last}, and what stands is {body}")
        safe = [value for value in values if self.told.get(value) == self.restores and value not in self.purged]
        after = values[values.index(safe[-1]) :] if safe else [*values, None]
        demand(not safe or known & set(after), f"{device} was told that {safe[-1:]} is kept, and what stands is {body}")


def _values(args: Body) -> list[str]:
    """What a mutation's arguments say that no other's do."""
    fields = args.get("card") or args.get("fields") or {}
    kept = [f"keep {args['id']}"] if "card" in args else []
    return kept + [value for value in fields.values() if isinstance(value, str)]
