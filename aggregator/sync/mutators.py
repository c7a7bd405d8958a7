"""Mutators: the named functions that sync applies without knowing what they are about. `app.py` hands them in."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aggregator.errors import Conflict
from aggregator.sync.log import Change


class Args(Protocol):
    """Arguments of any mutation: each happens in one space."""

    space: uuid.UUID


class Stop(Conflict):
    """Not this mutation's fault and not yet its outcome: the batch ends before it, without a receipt, and is
    repeated later.
    """


Load = Callable[[Change, Sequence[Any]], Awaitable[None]]
"""Reads what a batch's mutations of one name need beyond their bodies, in one query for all of them."""


@dataclass(frozen=True, slots=True)
class Mutator:
    """`shape` is the msgspec type of the arguments, `key` the key of the body they are about; `run` stages or raises
    Problem.
    """

    name: str
    shape: type[Any]
    key: Callable[[Any], str]
    run: Callable[[Change, Any], None]
    load: Load | None = None
