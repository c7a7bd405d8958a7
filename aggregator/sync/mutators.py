"""Mutators: the named functions that sync applies without knowing what they are about. `app.py` hands them in."""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from aggregator.errors import Conflict, Unavailable
from aggregator.sync.log import Change, Need, Place, Unprepared

T = TypeVar("T")

# Each may find that somebody has put another picture on a card meanwhile.
MAX_ATTEMPTS = 8


class Args(Protocol):
    """Arguments of any mutation: each happens in one space."""

    space: uuid.UUID


class Stop(Conflict):
    """Not this mutation's fault and not yet its outcome: the batch ends before it, without a receipt, and is
    repeated later.
    """


Load = Callable[[Change, Sequence[Any]], Awaitable[None]]
"""Reads what a batch's mutations of one name need beyond their bodies, in one query for all of them."""


Prepare = Callable[[Need], Awaitable[Any]]
"""Brings outside the transaction what a mutation or a verb lacks, and gives what is to stand in `Change.prepared`."""


@dataclass(frozen=True, slots=True)
class Mutator:
    """`shape` is the msgspec type of the arguments, `key` the key of the body they are about; `run` stages or raises
    Problem. `to` gives the other space of a mutation that happens in two; one that `is_edit` is not for viewers.
    """

    name: str
    shape: type[Any]
    key: Callable[[Any], str]
    run: Callable[[Change, Any], None]
    load: Load | None = None
    to: Callable[[Any], uuid.UUID] | None = None
    is_edit: bool = True

    def places(self, args: Any) -> Iterator[Place]:
        """Where the bodies stand that a mutation reads and writes."""
        key = self.key(args)
        yield args.space, key
        if self.to is not None:
            yield self.to(args), key


async def prepared(prepare: Prepare, work: Callable[[Mapping[Need, Any]], Awaitable[T]]) -> T:
    """What `work` gives. What it lacks is brought between two attempts, so that no transaction waits for it; raises
    Unavailable where others keep changing what is needed.
    """
    brought: dict[Need, Any] = {}
    for _ in range(MAX_ATTEMPTS):
        try:
            return await work(brought)
        except Unprepared as lacking:
            brought |= {need: await prepare(need) for need in lacking.needs - brought.keys()}
    raise Unavailable("busy", "Others are changing the same cards at this moment.")


async def nothing(need: Need) -> None:
    """For units of work that never lack anything."""
