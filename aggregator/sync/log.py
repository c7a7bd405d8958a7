"""The change log: a unit of work over locked spaces, in which mutators read and stage keyed JSON bodies.

Nothing is written until `flush`, so a mutation that is refused leaves no trace by being forgotten.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tortoise.expressions import Q
from tortoise.models import Model

from aggregator import db
from aggregator.crypto import BoxUnreadable, KeyRing
from aggregator.sync.models import Entry
from aggregator.sync.spaces import PERSON, VIEWER, Access

SCHEMA = 1

Place = tuple[uuid.UUID, str]
"""A space and a key in it."""


def bound(space_id: uuid.UUID | str, key: str, schema: int) -> bytes:
    """What a box is bound to, so that it opens nowhere else."""
    return f"{space_id}/{key}/{schema}".encode()


Need = tuple[uuid.UUID, uuid.UUID, uuid.UUID]
"""What has to be brought from one space into another: from, to, and its id."""

Statement = Callable[[], Awaitable[object]]
"""A write that is neither a body nor a new row, done with them."""


Hook = Callable[["Change"], Awaitable[None]]
"""What a package does in the same transaction when bodies are written or somebody leaves a space: it may stage more."""


class Unprepared(Exception):
    """Something slow must be done outside the transaction first: nothing is kept, and all is done again after it."""

    def __init__(self, needs: Iterable[Need]) -> None:
        super().__init__()
        self.needs = set(needs)


@dataclass(frozen=True, slots=True)
class Staged:
    """A body to be written; None leaves a tombstone, which may name the space that the body `moved_to`. `merchant`,
    `expires_on` and `purge_ms`, when it is to go, stay readable beside the box.
    """

    body: dict[str, Any] | None
    merchant: str | None = None
    expires_on: str | None = None
    purge_ms: int | None = None
    moved_to: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a change does at one place: the body that stood there before, if there was one that opens, and what is to
    stand there.
    """

    space_id: uuid.UUID
    key: str
    before: Mapping[str, Any] | None
    after: Staged


@dataclass(slots=True)
class Change:
    """What one push does to its spaces. `now_ms` is the time of arrival; `facts` is what mutators loaded beforehand,
    `prepared` what was brought before the transaction. `named` is the space that the current mutation named: its body
    may have moved on from there. `parted` names accounts that leave spaces with this change.
    """

    keys: KeyRing
    account_id: uuid.UUID
    now_ms: int
    spaces: dict[uuid.UUID, int]
    facts: dict[str, Any] = field(default_factory=dict)
    access: Mapping[uuid.UUID, Access] = field(default_factory=dict)
    prepared: Mapping[Need, Any] = field(default_factory=dict)
    named: uuid.UUID | None = None
    parted: list[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=list)
    _moved: dict[Place, uuid.UUID] = field(default_factory=dict)
    _loaded: dict[Place, dict[str, Any] | BoxUnreadable | None] = field(default_factory=dict)
    _versions: dict[Place, int] = field(default_factory=dict)
    _kept: dict[Place, Staged] = field(default_factory=dict)
    _fresh: dict[Place, Staged] = field(default_factory=dict)
    _kept_rows: list[Model] = field(default_factory=list)
    _fresh_rows: list[Model] = field(default_factory=list)
    _kept_statements: list[Statement] = field(default_factory=list)
    _fresh_statements: list[Statement] = field(default_factory=list)

    async def load(self, places: Iterable[Place]) -> None:
        """Read the bodies at these places in one query per space, so that `get` finds them; of a body that has moved
        on, where it is now as well.
        """
        wanted = set(places)
        while wanted:
            by_space: dict[uuid.UUID, list[str]] = {}
            for space_id, key in wanted:
                if space_id in self.spaces and (space_id, key) not in self._loaded:
                    by_space.setdefault(space_id, []).append(key)
            wanted = set()
            for space_id, keys in by_space.items():
                wanted |= await self._load(space_id, keys)

    async def _load(self, space_id: uuid.UUID, keys: list[str]) -> set[Place]:
        """Read what stands under the keys, and give the places where bodies have moved on to."""
        self._loaded |= {(space_id, key): None for key in keys}
        moved = {}
        known = Q(box__not_isnull=True) | Q(moved_to__not_isnull=True)
        for entry in await Entry.filter(known, space_id=space_id, key__in=keys):
            if entry.box is not None:
                self._loaded[space_id, entry.key] = self._opened(entry)
                self._versions[space_id, entry.key] = entry.version
            elif entry.moved_to is not None:
                moved[space_id, entry.key] = entry.moved_to
        self._moved |= moved
        return {(to, key) for (_, key), to in moved.items()}

    def whereabouts(self, space_id: uuid.UUID, key: str) -> uuid.UUID:
        """The space in which a body is that was in this one when a device named it. It may be one that the author
        cannot enter.
        """
        seen: set[uuid.UUID] = set()
        while space_id not in seen and (to := self._left_for(space_id, key)):
            seen.add(space_id)
            space_id = to
        return space_id

    def _left_for(self, space_id: uuid.UUID, key: str) -> uuid.UUID | None:
        place = (space_id, key)
        staged = self._fresh.get(place) or self._kept.get(place)
        return staged.moved_to if staged else self._moved.get(place)

    def may_edit(self, space_id: uuid.UUID) -> bool:
        """Whether the author may change what stands in a space; `spaces` are those they may enter."""
        access = self.access.get(space_id)
        return space_id in self.spaces and (access is None or access.role != VIEWER)

    def is_shared(self, space_id: uuid.UUID) -> bool:
        """Whether a space is not a person's own."""
        access = self.access.get(space_id)
        return access is not None and access.kind != PERSON

    def get(self, space_id: uuid.UUID, key: str) -> dict[str, Any] | None:
        """A copy of the body at a place that was loaded, as this push has left it so far; raises BoxUnreadable."""
        place = (space_id, key)
        staged = self._fresh.get(place) or self._kept.get(place)
        body = staged.body if staged else self._loaded[place]
        if isinstance(body, BoxUnreadable):
            raise body
        return dict(body) if body is not None else None

    def version(self, space_id: uuid.UUID, key: str) -> int:
        """The version at which the body at a place that was loaded stood before this push; 0 where there was none."""
        return self._versions.get((space_id, key), 0)

    def _opened(self, entry: Entry) -> dict[str, Any] | BoxUnreadable:
        try:
            opened = self.keys.open(bytes(entry.box or b""), bound(entry.space_id, entry.key, entry.schema))
        except BoxUnreadable as error:
            # It fails the mutations about this body, and must not hold up the others of the queue.
            return error
        return dict(msgspec.json.decode(opened))

    def put(self, space_id: uuid.UUID, key: str, staged: Staged) -> None:
        """Stage a body."""
        self._fresh[space_id, key] = staged

    def add(self, row: Model) -> None:
        """Stage a row of the mutator's own package."""
        self._fresh_rows.append(row)

    def then(self, statement: Statement) -> None:
        """Stage a write that comes after all rows."""
        self._fresh_statements.append(statement)

    def keep(self) -> None:
        """The current mutation is applied: what it staged stays."""
        self._kept |= self._fresh
        self._kept_rows += self._fresh_rows
        self._kept_statements += self._fresh_statements
        self.forget()

    def forget(self) -> None:
        """The current mutation is refused: what it staged goes."""
        self._fresh = {}
        self._fresh_rows = []
        self._fresh_statements = []

    def written(self) -> Iterator[Written]:
        """Everything kept so far."""
        for (space_id, key), staged in self._kept.items():
            before = self._loaded.get((space_id, key))
            yield Written(space_id, key, None if isinstance(before, BoxUnreadable) else before, staged)

    async def follow(self, hooks: Sequence["Hook"]) -> None:
        """Let other packages add what comes of everything kept. Whatever is done after this, they are not told of."""
        self.forget()
        for hook in hooks if self._kept or self.parted else ():
            await hook(self)
            self.keep()

    async def flush(self) -> dict[uuid.UUID, int]:
        """Write everything kept and give the new version of each changed space."""
        versions = {space_id: self.spaces[space_id] + 1 for space_id in {place[0] for place in self._kept}}
        if not versions:
            return {}
        entries = [self._entry(place, staged, versions[place[0]]) for place, staged in self._kept.items()]
        columns = ["version", "schema", "box", "merchant", "expires_on", "purge_ms", "moved_to"]
        await Entry.bulk_create(entries, update_fields=columns, on_conflict=["space_id", "key"])
        for space_id, version in versions.items():
            await db.fetch("UPDATE space SET version = $1 WHERE id = $2", version, str(space_id))
        await self._write_rows()
        for statement in self._kept_statements:
            await statement()
        return versions

    def _entry(self, place: Place, staged: Staged, version: int) -> Entry:
        space_id, key = place
        return Entry(
            space_id=space_id,
            key=key,
            version=version,
            schema=SCHEMA,
            box=self._sealed(space_id, key, staged.body) if staged.body is not None else None,
            merchant=staged.merchant,
            expires_on=staged.expires_on,
            purge_ms=staged.purge_ms,
            moved_to=staged.moved_to,
        )

    def _sealed(self, space_id: uuid.UUID, key: str, body: dict[str, Any]) -> bytes:
        return self.keys.seal(msgspec.json.encode(body), bound(space_id, key, SCHEMA))

    async def _write_rows(self) -> None:
        by_model: dict[type[Model], list[Model]] = {}
        for row in self._kept_rows:
            by_model.setdefault(type(row), []).append(row)
        for model, rows in by_model.items():
            await model.bulk_create(rows, ignore_conflicts=True)
