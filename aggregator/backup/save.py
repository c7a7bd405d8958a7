"""Backup: all rows of one moment, then the pictures that they name. The service may go on meanwhile."""

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from aggregator import app, db, schema, store
from aggregator.accounts.sessions import iso, now_ms
from aggregator.backup import archive, passphrase, rows
from aggregator.backup.archive import Manifest, Writer
from aggregator.blobs import Blobs, open_blobs
from aggregator.catalog.pictures import blob_key
from aggregator.settings import Settings

KEYS = "keys.json"
FACTS = "store_fact"


class BackupRefused(Exception):
    """There is nothing to back up, or it is not in a state to be; the message says what to do."""


@dataclass(slots=True)
class _Seen:
    """What passes by while rows are written: facts the manifest repeats, and where pictures stand."""

    pictures: IO[bytes]
    facts: dict[str, str] = field(default_factory=dict)

    def fact(self, row: dict[str, Any]) -> None:
        self.facts[row["name"]] = row["value"]

    def picture(self, row: dict[str, Any]) -> None:
        key = blob_key(str(row["space_id"]), str(row["id"]), bytes(row["upload_mark"]), row["created_ms"])
        self.pictures.write(f"{key}\n".encode())


async def save(settings: Settings, target: Path, secret: str | None) -> Manifest:
    """Write a backup to a new file, with the key ring sealed under the passphrase `secret` if one is given; raises
    BackupRefused, PassphraseWrong, OSError and what the stores raise.
    """
    if not settings.database and not (settings.data / db.SQLITE_FILE).exists():
        raise BackupRefused(f"There is no store in {settings.data}.")
    ring = app.ring_text(settings)
    sealed = passphrase.seal(ring.encode(), secret) if secret is not None else None
    async with store.held(settings), db.connected(settings, app.MODELS):
        steps = await _steps(settings)
        await store.refuse_half_restored()
        await store.verify_keys(app.ring(settings))
        with archive.writing(target) as writer:
            if sealed is not None:
                writer.add(KEYS, sealed)
            return await _written(settings, writer, steps, has_keys=sealed is not None)


async def _steps(settings: Settings) -> list[str]:
    apps = db.config(settings, app.MODELS)["apps"]
    if await schema.pending(apps):
        raise BackupRefused("The store has the shape of an older version: run `python -m aggregator migrate` first.")
    return (await schema.steps(apps))[0]


async def _written(settings: Settings, writer: Writer, steps: list[str], *, has_keys: bool) -> Manifest:
    made_at = iso(now_ms())
    with ExitStack() as stack:
        seen = _Seen(stack.enter_context(tempfile.TemporaryFile()))
        counts = await _rows(settings, writer, seen)
        pictures, missing = await _pictures(open_blobs(settings), writer, seen.pictures)
    ids = sorted(name.removeprefix(store.KEY_CHECK) for name in seen.facts if name.startswith(store.KEY_CHECK))
    epoch = seen.facts.get(store.EPOCH, "")
    manifest = Manifest(made_at, steps, epoch, ids, counts, pictures, missing, has_keys)
    writer.finish(manifest)
    return manifest


async def _rows(settings: Settings, writer: Writer, seen: _Seen) -> dict[str, int]:
    watch = {FACTS: seen.fact, "picture": seen.picture}
    counts = {}
    async with rows.snapshot(settings) as query:
        for table in rows.tables():
            with tempfile.TemporaryFile() as file:
                counts[table.name] = await rows.dump(query, table, file, watch.get(table.name))
                writer.add_file(f"rows/{table.name}.jsonl.gz", file)
    return counts


async def _pictures(blobs: Blobs, writer: Writer, keys: IO[bytes]) -> tuple[int, int]:
    """Write the sealed pictures; one that has gone since its row was read is counted as missing."""
    keys.seek(0)
    found = missing = 0
    for line in keys:
        key = line.decode().strip()
        if (box := await blobs.get(key)) is None:
            missing += 1
        else:
            writer.add(key, box)
            found += 1
    return found, missing
