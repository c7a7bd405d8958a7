"""Live: who is listening, and how a change anywhere becomes a poke to them. A poke is a hint; the pull stays the
truth.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice

import asyncpg
import msgspec

from aggregator import db
from aggregator.errors import TooManyRequests

CHANNEL = "karman_pokes"
KEEP_ALIVE_S = 25
MAX_STREAMS_PER_ACCOUNT = 32
RECONNECT_S = 1
# What fits into one word, which PostgreSQL limits to 8,000 bytes.
MAX_SPACES = 100


Stay = tuple[uuid.UUID, uuid.UUID]
"""An account and a space it has joined or parted from."""

_log = logging.getLogger("karman.live")


class Listener:
    """One open stream. Pokes that come faster than they are read melt into the newest version of each space."""

    def __init__(self, account_id: uuid.UUID, device_id: uuid.UUID, spaces: Iterable[uuid.UUID]) -> None:
        self.account_id = account_id
        self.device_id = device_id
        self.spaces = set(spaces)
        self.turns = 0
        self._versions: dict[uuid.UUID, int] = {}
        self._awake = asyncio.Event()
        self._ended = False

    def poke(self, space_id: uuid.UUID, version: int) -> None:
        """Note a new version and wake the stream."""
        self._versions[space_id] = max(version, self._versions.get(space_id, 0))
        self._awake.set()

    def end(self) -> None:
        """Close the stream after what is already noted."""
        self._ended = True
        self._awake.set()

    async def events(self) -> AsyncIterator[bytes]:
        """The stream as server-sent events (WHATWG HTML, section 9.2)."""
        yield b"retry: 2000\n: listening\n\n"
        while not self._ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), KEEP_ALIVE_S)
            self._awake.clear()
            versions, self._versions = self._versions, {}
            for space_id, version in versions.items():
                yield b'event: poke\ndata: {"space":"%b","version":%d}\n\n' % (str(space_id).encode(), version)
            if not versions and not self._ended:
                yield b": still here\n\n"


class Pokes:
    """The listeners of this process and, on PostgreSQL, the word from the others (LISTEN/NOTIFY)."""

    def __init__(self) -> None:
        self._by_space: dict[uuid.UUID, set[Listener]] = {}
        self._by_device: dict[uuid.UUID, set[Listener]] = {}
        self._by_account: dict[uuid.UUID, set[Listener]] = {}
        self._process = uuid.uuid4().hex

    @property
    def count(self) -> int:
        """How many streams are open."""
        return sum(len(listeners) for listeners in self._by_device.values())

    @asynccontextmanager
    async def listening(self, listener: Listener) -> AsyncIterator[Listener]:
        """The listener hears pokes inside the block; raises TooManyRequests for an account with too many streams."""
        if len(self._by_account.get(listener.account_id, ())) >= MAX_STREAMS_PER_ACCOUNT:
            raise TooManyRequests(30, "This account has too many open streams.")
        people = ((self._by_device, listener.device_id), (self._by_account, listener.account_id))
        for table, key in people:
            _put(table, key, listener)
        for space_id in listener.spaces:
            _put(self._by_space, space_id, listener)
        try:
            yield listener
        finally:
            for table, key in people:
                _take(table, key, listener)
            for space_id in listener.spaces:
                _take(self._by_space, space_id, listener)

    async def settle(self, listener: Listener, look: Callable[[], Awaitable[Iterable[uuid.UUID]]]) -> None:
        """Let a stream that has just opened hear of the spaces that its account is in by now. Looked at again where
        somebody came or went meanwhile.
        """
        while True:
            turns = listener.turns
            spaces = await look()
            if turns == listener.turns:
                return self._place(listener, spaces)

    def _place(self, listener: Listener, spaces: Iterable[uuid.UUID]) -> None:
        listener.turns += 1
        wanted = set(spaces)
        for space_id in listener.spaces - wanted:
            _take(self._by_space, space_id, listener)
        for space_id in wanted - listener.spaces:
            _put(self._by_space, space_id, listener)
        listener.spaces = wanted

    def poke(self, versions: Mapping[uuid.UUID, int], joined: Sequence[Stay] = (), parted: Sequence[Stay] = ()) -> None:
        """Tell this process's listeners. Whoever has joined hears it, too, and whoever has parted for the last time."""
        for account_id, space_id in joined:
            for listener in self._by_account.get(account_id, ()):
                self._place(listener, listener.spaces | {space_id})
        for space_id, version in versions.items():
            for listener in self._by_space.get(space_id, ()):
                listener.poke(space_id, version)
        for account_id, space_id in parted:
            for listener in self._by_account.get(account_id, ()):
                self._place(listener, listener.spaces - {space_id})

    async def announce(
        self, versions: Mapping[uuid.UUID, int], joined: Sequence[Stay] = (), parted: Sequence[Stay] = ()
    ) -> None:
        """As `poke`, the other processes. Inside a transaction the word leaves with the commit."""
        if db.is_sqlite():
            return
        told = iter(versions.items())
        while part := dict(islice(told, MAX_SPACES)):
            word = {"versions": {str(space_id): version for space_id, version in part.items()}}
            await self._notify({**word, "joined": list(joined), "parted": list(parted)})

    async def end(self, device_id: uuid.UUID) -> None:
        """Close the streams of a device, here and elsewhere."""
        self._end(device_id)
        if not db.is_sqlite():
            await self._notify({"ended": str(device_id)})

    def close(self) -> None:
        """Close every stream of this process."""
        for device_id in list(self._by_device):
            self._end(device_id)

    def _end(self, device_id: uuid.UUID) -> None:
        for listener in self._by_device.get(device_id, ()):
            listener.end()

    async def _notify(self, word: dict[str, object]) -> None:
        text = msgspec.json.encode({"from": self._process, **word}).decode()
        await db.fetch("SELECT pg_notify($1, $2)", CHANNEL, text)

    async def hear(self, store: db.Store) -> None:
        """Listen to the other processes until cancelled, reconnecting as often as needed."""
        while True:
            try:
                await self._hear_once(store)
            except Exception as error:
                # Devices still learn everything by pulling, only later.
                _log.warning("the other processes cannot be heard just now: %s", error)
            await asyncio.sleep(RECONNECT_S)

    async def _hear_once(self, store: db.Store) -> None:
        connection = await asyncpg.connect(store.settings.database)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(CHANNEL, lambda *heard: self._heard(heard[-1]))
            # What was said while nobody listened is not repeated, so everybody looks once.
            for listener in [one for listeners in self._by_account.values() for one in listeners]:
                await self.settle(listener, partial(spaces_of, store, listener.account_id))
            for device_id in self._by_device.keys() - await _living(store, list(self._by_device)):
                self._end(device_id)
            self._wake_all()
            await lost.wait()
        finally:
            await connection.close()

    def _heard(self, text: str) -> None:
        word = msgspec.json.decode(text)
        if word["from"] == self._process:
            return
        versions = {uuid.UUID(space_id): version for space_id, version in word.get("versions", {}).items()}
        self.poke(versions, _stays(word.get("joined", ())), _stays(word.get("parted", ())))
        if "ended" in word:
            self._end(uuid.UUID(word["ended"]))

    def _wake_all(self) -> None:
        for space_id, listeners in self._by_space.items():
            for listener in listeners:
                listener.poke(space_id, 0)


async def spaces_of(store: db.Store, account_id: uuid.UUID) -> set[uuid.UUID]:
    """The spaces that an account may enter."""
    rows = await store.read("SELECT space_id FROM member WHERE account_id = $1", str(account_id))
    return {uuid.UUID(str(row[0])) for row in rows}


async def _living(store: db.Store, devices: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the devices that are not signed out."""
    sql = "SELECT id FROM device WHERE revoked_ms IS NULL AND id = ANY($1)"
    return {uuid.UUID(str(row[0])) for row in await store.read(sql, devices)}


def _put(table: dict[uuid.UUID, set[Listener]], key: uuid.UUID, listener: Listener) -> None:
    table.setdefault(key, set()).add(listener)


def _take(table: dict[uuid.UUID, set[Listener]], key: uuid.UUID, listener: Listener) -> None:
    table[key].discard(listener)
    if not table[key]:
        del table[key]


def _stays(heard: Iterable[Iterable[str]]) -> list[Stay]:
    return [(uuid.UUID(account_id), uuid.UUID(space_id)) for account_id, space_id in heard]
