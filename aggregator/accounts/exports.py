"""Everything an account has as one ZIP, made while it is sent: whatever a wallet holds, little of it is in memory.

Packages hand in an exporter each, which names files and gives their bytes in parts; `app.py` puts them together.
"""

import io
import time
import uuid
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aggregator import db
from aggregator.accounts.models import Account, Device
from aggregator.accounts.sessions import iso, now_ms
from aggregator.errors import TooManyRequests, Unavailable

FORMAT = "karman-export/1"
MAX_AT_ONCE = 8
WAIT_S = 30
# What is ready before the answer begins: so much of a failure can still be told as one.
HEAD_BYTES = 512_000


@dataclass(slots=True)
class Export:
    """One account's export under way. `problems` names what could not be put into it, and becomes its last file."""

    store: db.Store
    account_id: uuid.UUID
    problems: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the export: its name, its bytes in parts, and whether packing them would save something."""

    name: str
    parts: AsyncIterator[bytes]
    packs: bool = True


Exporter = Callable[[Export], AsyncIterator[File]]
"""The files of one package."""


def json_file(name: str, body: Any) -> File:
    """A file that is one JSON value."""
    return File(name, once(msgspec.json.format(msgspec.json.encode(body))))


async def once(part: bytes) -> AsyncIterator[bytes]:
    """The bytes of a file that are there already."""
    yield part


async def export_account(asked: Export) -> AsyncIterator[File]:
    """`account.json` and `devices.json`."""
    account = await Account.get(id=asked.account_id)
    body = {"id": str(account.id), "email": account.email, "created_at": iso(account.created_ms)}
    yield json_file("account.json", {"format": FORMAT, "exported_at": iso(now_ms()), "account": body})
    devices = await Device.filter(account_id=account.id).order_by("created_ms")
    yield json_file("devices.json", [_device(device) for device in devices])


def _device(device: Device) -> dict[str, str]:
    times = {"created_at": device.created_ms, "last_seen_at": device.seen_ms, "revoked_at": device.revoked_ms}
    return {"id": str(device.id), "name": device.name, **{name: iso(ms) for name, ms in times.items() if ms}}


class Exports:
    """Makes exports, one at a time for an account and a few at a time for all."""

    def __init__(self, exporters: Sequence[Exporter]) -> None:
        self._exporters = (export_account, *exporters)
        self._under_way: set[uuid.UUID] = set()

    @contextmanager
    def _place(self, account_id: uuid.UUID) -> Iterator[None]:
        if account_id in self._under_way:
            raise TooManyRequests(WAIT_S, "An export of this account is under way already.")
        if len(self._under_way) >= MAX_AT_ONCE:
            raise Unavailable("busy", "Others are taking their exports at this moment.", WAIT_S)
        self._under_way.add(account_id)
        try:
            yield
        finally:
            self._under_way.discard(account_id)

    async def stream(self, store: db.Store, account_id: uuid.UUID) -> AsyncGenerator[bytes, None]:
        """The ZIP in parts; the first is whatever is ready early. Raises TooManyRequests, Unavailable, and what the
        stores raise.
        """
        with self._place(account_id):
            async with aclosing(self._parts(Export(store, account_id))) as parts:
                head, size = [], 0
                async for part in parts:
                    head.append(part)
                    size += len(part)
                    if size >= HEAD_BYTES:
                        break
                yield b"".join(head)
                async for part in parts:
                    yield part

    async def _parts(self, asked: Export) -> AsyncGenerator[bytes, None]:
        pipe = _Pipe()
        with zipfile.ZipFile(pipe, "w") as archive:
            for exporter in self._exporters:
                async for file in exporter(asked):
                    async with aclosing(_written(archive, pipe, file)) as parts:
                        async for part in parts:
                            yield part
            async for part in _written(archive, pipe, json_file("problems.json", asked.problems)):
                yield part
        yield pipe.taken()


async def _written(archive: zipfile.ZipFile, pipe: "_Pipe", file: File) -> AsyncGenerator[bytes, None]:
    entry = zipfile.ZipInfo(file.name, time.gmtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if file.packs else zipfile.ZIP_STORED
    with archive.open(entry, "w") as target:
        async for part in file.parts:
            target.write(part)
            if ready := pipe.taken():
                yield ready
    yield pipe.taken()


class _Pipe(io.RawIOBase):
    """Takes what is written until somebody takes it away. It cannot seek, so that the ZIP is written in one go."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Everything written since it was last asked."""
        waiting, self._waiting = self._waiting, []
        return b"".join(waiting)
