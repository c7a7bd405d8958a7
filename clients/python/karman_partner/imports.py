"""A whole base of balances, sent in parts as lines of JSON; a part that breaks off is sent again, without harm."""

from collections.abc import Iterable, Iterator
from itertools import islice

import httpx
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from karman_partner.values import Balance, Progress, RowProblem, Trouble
from karman_partner.wire import Ask, Patience, Wire

PART = 20_000
NDJSON = "application/x-ndjson"
# A part is answered when all of it was read, which may take until more balances are allowed.
ANSWERED_S = 180.0


class _Line(Struct):
    """Any line of the answer: progress, a line that was not kept, or the end."""

    read: int = 0
    stored: int = 0
    older: int = 0
    invalid: int = 0
    line: int = 0
    problem: RowProblem | None = None
    done: bool | None = None


class _BrokeOff(Exception):
    """The rest of a part was not read."""


_lines = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def imported(wire: Wire, balances: Iterable[Balance], part: int) -> Iterator[Progress]:
    """Send all of them, and tell how far it is."""
    rows = iter(balances)
    before = Progress()
    while batch := list(islice(rows, part)):
        ask = Ask("POST", "/balances/import", _encoder.encode_lines(batch), NDJSON, timeout_s=ANSWERED_S)
        now = before
        for now in _sent(wire, ask, before):
            yield now
        before = replace(now, troubles=())


def _sent(wire: Wire, ask: Ask, before: Progress) -> Iterator[Progress]:
    """Send a part until all of it was read. One that is sent again is told from its beginning, so that what had been
    told of it before does not count twice.
    """
    patience = wire.patience()
    while True:
        try:
            yield from _told(wire, ask, before, patience)
        except (httpx.TransportError, _BrokeOff, msgspec.DecodeError) as error:
            patience.wait(f"An import broke off: {error}")
        else:
            return


def _told(wire: Wire, ask: Ask, before: Progress, patience: Patience) -> Iterator[Progress]:
    troubles: list[Trouble] = []
    with wire.opened(ask, patience) as answer:
        for text in answer.iter_lines():
            line = _lines.decode(text)
            if line.line and line.problem:
                troubles.append(Trouble(before.read + line.line, line.problem))
                continue
            yield _plus(before, line, troubles)
            troubles = []
            if line.done:
                return
    raise _BrokeOff("the service stopped reading")


def _plus(before: Progress, line: _Line, troubles: list[Trouble]) -> Progress:
    return Progress(
        before.read + line.read,
        before.stored + line.stored,
        before.older + line.older,
        before.invalid + line.invalid,
        tuple(troubles),
    )
