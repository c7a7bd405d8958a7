"""What a shop asked lately, so that its developer can look it up. Rows are written a second later and all at once: a
call neither waits for its note nor fails with it.
"""

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass

from aggregator import db
from aggregator.jobs import beside
from aggregator.partners.models import RequestNote

EVERY_S = 1.0
# What a store that does not answer may cost: of a longer queue the oldest go.
MAX_WAITING = 20_000
BATCH = 500
KEPT_MS = 7 * 86_400_000
MAX_PATH = 200
SHOWN_CHARACTERS = 2

_log = logging.getLogger("karman.partners")


@dataclass(frozen=True, slots=True)
class Note:
    """A call: what was asked, when (ms), what was answered, and how long that took (ms)."""

    partner_id: uuid.UUID
    at_ms: int
    method: str
    path: str
    status: int
    code: str | None
    took_ms: int


def shown_path(template: str, values: Mapping[str, str]) -> str:
    """The path of a call without the card's number: all but its last two characters are cut."""
    shown = {name: _cut(value) if name == "number" else value for name, value in values.items()}
    # PostgreSQL keeps no NUL, and a note that cannot be written would hold up everybody's.
    return template.format_map(shown).replace("\0", "\ufffd")[:MAX_PATH]


def _cut(number: str) -> str:
    return "…" + (number[-SHOWN_CHARACTERS:] if len(number) > 2 * SHOWN_CHARACTERS else "")


class RequestLog:
    """Notes of calls on their way to the store."""

    def __init__(self) -> None:
        self._waiting: deque[Note] = deque(maxlen=MAX_WAITING)
        self._writing = asyncio.Lock()
        self._is_down = False

    def add(self, note: Note) -> None:
        """Keep a note, soon."""
        self._waiting.append(note)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Notes are written inside the block, and what is left when it ends."""
        try:
            async with beside(self._tend()):
                yield
        finally:
            with suppress(*db.STORE_ERRORS):
                await self.flush()

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.flush()
                self._is_down = False
            except Exception as error:
                if not self._is_down:
                    _log.warning("the log of shops' calls waits for the store: %s", error)
                self._is_down = True

    async def flush(self) -> None:
        """Write what waits; raises what the store raises, and then nothing is lost."""
        async with self._writing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    await _write(batch)
                except BaseException:
                    self._waiting.extendleft(reversed(batch))
                    raise


async def _write(batch: Sequence[Note]) -> None:
    rows = [RequestNote(id=uuid.uuid4(), **asdict(note)) for note in batch]
    async with db.transaction():
        await RequestNote.bulk_create(rows)
