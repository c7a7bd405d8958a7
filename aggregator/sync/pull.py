"""Pull: everything a device lacks, from one query on one snapshot."""

import asyncio
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from aggregator import db
from aggregator.accounts.sessions import WHO, Session, judge, match_account, refuse_unknown
from aggregator.crypto import ID_BYTES, BoxUnreadable, KeyRing
from aggregator.errors import Conflict, Unavailable
from aggregator.store import KEY_CHECK
from aggregator.sync import cookies
from aggregator.sync.cookies import Cookie
from aggregator.sync.log import bound

# Opening more boxes than this takes long enough to be felt by others on the event loop.
INLINE_ENTRIES = 400

_log = logging.getLogger("karman.pull")

WHO_ROW, SPACE_ROW, ENTRY_ROW = 0, 1, 2

# One statement, so that session, memberships, versions, rows and `last` are of the same moment. {held} gives, per
# space, the version the device holds.
QUERY = """
WITH who AS ({who})
SELECT 0 AS kind, CAST(w.id AS text) AS a, CAST(w.account_id AS text) AS b, w.seen_ms AS n, w.expires_ms AS m,
       CAST(NULL AS {blob}) AS box, w.revoked_ms AS r,
       (SELECT c.last_id FROM client c WHERE c.account_id = w.account_id AND c.id = $2) AS l
  FROM who w
UNION ALL
SELECT 1, CAST(s.id AS text), NULL, s.version, s.floor, NULL, NULL, NULL
  FROM who w JOIN member m ON m.account_id = w.account_id JOIN space s ON s.id = m.space_id
UNION ALL
SELECT 2, CAST(e.space_id AS text), e.key, e.version, e.schema, e.box, NULL, NULL
  FROM who w JOIN member m ON m.account_id = w.account_id JOIN entry e ON e.space_id = m.space_id AND e.version > {held}
"""


NOTED = "SELECT 1 FROM store_fact WHERE name = $1"
RESTORED = (
    "SELECT r.space_id, r.epoch, r.version FROM restored_space r JOIN member m ON m.space_id = r.space_id "
    "WHERE m.account_id = $1"
)


@dataclass(slots=True)
class Snapshot:
    """What the query found: who asks, the version and floor of each space, `last`, and the rows above what the
    device holds.
    """

    session: Session
    last: int = 0
    spaces: dict[str, tuple[int, int]] = field(default_factory=dict)
    entries: list[db.Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of a pull, and whose session asked."""

    session: Session
    body: bytes


class Puller:
    """Answers pulls. `epoch` is the store's; a cookie of another one counts for nothing."""

    def __init__(self, store: db.Store, keys: KeyRing, epoch: str) -> None:
        self._store = store
        self._keys = keys
        self._epoch = epoch
        self._key_ids = set(keys.ids)

    async def pull(
        self, token_hash: str, account_id: uuid.UUID, client_id: uuid.UUID | None, cookie_text: str
    ) -> Answer:
        """The patch from the cookie's state to now; raises Unauthorized, or Conflict for another account's session
        or cookie.
        """
        cookie = cookies.read(self._keys, cookie_text)
        restored = await self._restored(cookie) if cookie and cookie.account_id == account_id else None
        held = cookie.versions if cookie and cookie.epoch == self._epoch and cookie.account_id == account_id else {}
        snapshot = await self._look(token_hash, client_id, held)
        match_account(snapshot.session, account_id)
        if cookie and cookie.account_id != account_id:
            raise Conflict("other-account", "This cookie was given to another account.")
        if _outgrown(held, snapshot):
            held = {}
            snapshot = await self._look(token_hash, client_id, held)
        await self._refuse_newer_keys(snapshot)
        if len(snapshot.entries) > INLINE_ENTRIES:
            return Answer(snapshot.session, await asyncio.to_thread(self._body, snapshot, held, restored))
        return Answer(snapshot.session, self._body(snapshot, held, restored))

    async def _refuse_newer_keys(self, snapshot: Snapshot) -> None:
        """Raises Unavailable where another process seals with a key that came after this one's start: to leave such
        bodies out, as damaged ones are, would lose them to the device.
        """
        used = {bytes(entry[5][:ID_BYTES]) for entry in snapshot.entries if entry[5] is not None}
        for key_id in used - self._key_ids:
            if await self._store.read(NOTED, f"{KEY_CHECK}{key_id.hex()}"):
                raise Unavailable("store-unavailable", "This process is to be restarted: it lacks the latest key.", 10)

    async def _restored(self, cookie: Cookie) -> dict[str, int] | None:
        """For a device that last pulled before the store was restored from a backup: up to which version of each space
        the backup knew what it holds. None for every other.
        """
        if cookie.epoch == self._epoch:
            return None
        found: dict[str, dict[str, int]] = {}
        for row in await self._store.read(RESTORED, str(cookie.account_id)):
            found.setdefault(str(row["space_id"]), {})[row["epoch"]] = row["version"]
        # Of an epoch that this store never had, only what every restore kept is sure to be known.
        return {space_id: versions.get(cookie.epoch, min(versions.values())) for space_id, versions in found.items()}

    async def _look(self, token_hash: str, client_id: uuid.UUID | None, held: dict[str, int]) -> Snapshot:
        values = [value for pair in held.items() for value in pair]
        cases = "".join(f" WHEN ${place} THEN CAST(${place + 1} AS bigint)" for place in range(3, len(values) + 3, 2))
        sql = QUERY.format(
            who=WHO,
            blob="bytea" if self._store.settings.database else "blob",
            held=f"CASE CAST(e.space_id AS text){cases} ELSE 0 END" if held else "0",
        )
        client = str(client_id) if client_id else None
        rows = await self._store.read(sql, token_hash, client, *values)
        if not any(row[0] == WHO_ROW for row in rows):
            await refuse_unknown(self._store, token_hash)
        return _snapshot(rows)

    def _body(self, snapshot: Snapshot, held: dict[str, int], restored: dict[str, int] | None) -> bytes:
        versions = {space_id: version for space_id, (version, _) in snapshot.spaces.items()}
        cookie = cookies.write(self._keys, Cookie(snapshot.session.account_id, self._epoch, versions))
        patch = b",".join(self._patch(snapshot, held))
        more = b'"restored":%b,' % msgspec.json.encode(restored) if restored else b""
        return b'{"cookie":"%b","last":%d,%b"patch":[%b]}' % (cookie.encode(), snapshot.last, more, patch)

    def _patch(self, snapshot: Snapshot, held: dict[str, int]) -> Iterator[bytes]:
        if not held:
            yield b'{"op":"clear"}'
        for space_id in held.keys() - snapshot.spaces.keys():
            yield b'{"op":"clear","space":"%b"}' % space_id.encode()
        unbox = self._keys.open
        heads = {space_id: b'","space":"%b","key":"' % space_id.encode() for space_id in snapshot.spaces}
        for _, space_id, key, version, schema, box, _, _ in snapshot.entries:
            head = heads[space_id]
            if box is None:
                yield b'{"op":"del%b%b","version":%d}' % (head, key.encode(), version)
            else:
                # The body goes through as the JSON that was sealed, undecoded.
                try:
                    value = unbox(box, bound(space_id, key, schema))
                except BoxUnreadable:
                    # One damaged row must not take the whole wallet away; the device keeps its own copy.
                    _log.error("the body of %s in space %s does not open", key, space_id)
                    continue
                yield b'{"op":"put%b%b","version":%d,"value":%b}' % (head, key.encode(), version, value)


def _outgrown(held: dict[str, int], snapshot: Snapshot) -> bool:
    """Whether tombstones that the device has not seen are gone, or its versions are of a future this store never
    had.
    """
    return any(
        held[space_id] < floor or held[space_id] > version
        for space_id, (version, floor) in snapshot.spaces.items()
        if space_id in held
    )


def _snapshot(rows: Sequence[db.Row]) -> Snapshot:
    by_kind: dict[int, list[db.Row]] = {WHO_ROW: [], SPACE_ROW: [], ENTRY_ROW: []}
    for row in rows:
        by_kind[row[0]].append(row)
    [who] = by_kind[WHO_ROW]
    session = judge({"id": who[1], "account_id": who[2], "seen_ms": who[3], "expires_ms": who[4], "revoked_ms": who[6]})
    last = who[7] or 0
    spaces = {row[1]: (row[3], row[4]) for row in by_kind[SPACE_ROW]}
    return Snapshot(session, last, spaces, by_kind[ENTRY_ROW])
