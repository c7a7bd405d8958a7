"""Restore: an empty store, of either kind, becomes what a backup holds. Nothing is touched before all is known to fit.

verify file, keys, shape, target ──▶ rows and the mark `restoring`: one commit ──▶ pictures ──▶ new epoch, mark gone
"""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator import app, crypto, db, schema, store
from aggregator.backup import archive, passphrase, rows
from aggregator.backup.archive import ArchiveDamaged, Manifest
from aggregator.backup.save import FACTS, KEYS
from aggregator.blobs import open_blobs
from aggregator.catalog.models import GoneSpace
from aggregator.settings import Settings

ROWS = re.compile(r"rows/([a-z_]+)\.jsonl\.gz")
# Of everything else in a store a restore may go ahead without being told to replace it.
UNOWNED = {FACTS, "job", "pattern", "withdrawn_pattern", "gone_device", "gone_space"}

Ask = Callable[[], str]
"""Gets the passphrase, from a setting or a person; asked only where it is needed."""


class RestoreRefused(Exception):
    """The backup does not fit here; nothing was touched. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was checked: the backup, its manifest, and the key ring that the store will need."""

    file: Path
    manifest: Manifest
    ring: str


async def restore(settings: Settings, file: Path, ask: Ask, *, replace: bool = False) -> Manifest:
    """Make the store what the backup holds; raises RestoreRefused, ArchiveDamaged, KeysMissing, PassphraseWrong,
    StoreInUse or StoreIsNewer with nothing touched, and what the stores raise.
    """
    async with store.held(settings, alone=True):
        manifest = archive.verified(file)
        plan = Plan(file, manifest, _fitting_ring(settings, file, manifest, ask))
        apps = db.config(settings, app.MODELS)["apps"]
        with _no_new_store(settings):
            async with db.connected(settings, app.MODELS):
                await _check_shape(apps, manifest)
                if not (replace or await _is_half_restored(apps)):
                    await _check_empty(settings, apps)
        await open_blobs(settings).check()
        async with db.connected(settings, app.MODELS):
            await _carry_out(settings, apps, plan)
    return manifest


@contextmanager
def _no_new_store(settings: Settings) -> Iterator[None]:
    """Looking into an embedded store makes an empty one where there is none; it goes again after the block."""
    file = settings.data / db.SQLITE_FILE
    is_new = not settings.database and not file.exists()
    try:
        yield
    finally:
        for suffix in ("", "-wal", "-shm") if is_new else ():
            file.with_name(file.name + suffix).unlink(missing_ok=True)


def _fitting_ring(settings: Settings, file: Path, manifest: Manifest, ask: Ask) -> str:
    """The JSON of a ring that opens everything in the backup: the one here, or joined with the one in the file."""
    here = _ring_here(settings)
    checks = _key_checks(file)
    if here is not None and _opens(here, checks):
        return here
    if not manifest.has_keys:
        raise store.KeysMissing(
            f"This backup was sealed with the keys {', '.join(manifest.keys)}, which are neither in it nor here. Give "
            "the key ring that belonged to its store."
        )
    packed = ring_in(file, ask())
    if settings.keys:
        raise store.KeysMissing(
            "The key ring in the settings lacks keys of this backup. The backup has them: print its ring with `python "
            "-m aggregator keys unpack FILE`, and give that as KARMAN_KEYS or in a file named by KARMAN_KEYS_FILE."
        )
    return crypto.joined(here, packed) if here is not None else packed


def _ring_here(settings: Settings) -> str | None:
    path = settings.data / app.KEYS_FILE
    if settings.keys:
        return settings.keys
    return path.read_text() if path.exists() else None


def ring_in(file: Path, secret: str) -> str:
    """The JSON of the key ring in a backup; raises PassphraseWrong, RestoreRefused or ArchiveDamaged."""
    for name, content in archive.parts(file):
        if name == KEYS:
            return passphrase.opened(content.read(), secret).decode()
    raise RestoreRefused(f"{file} holds no key ring: it was made without --with-keys.")


def _key_checks(file: Path) -> dict[str, str]:
    for name, content in archive.parts(file):
        if name == f"rows/{FACTS}.jsonl.gz":
            with rows.opened(content) as (columns, found):
                facts = [dict(zip(columns, row, strict=True)) for row in found]
            return {fact["name"]: fact["value"] for fact in facts if fact["name"].startswith(store.KEY_CHECK)}
    raise ArchiveDamaged(f"{file} lacks the facts of its store.")


def _opens(ring: str, checks: dict[str, str]) -> bool:
    try:
        for name, value in checks.items():
            store.open_check(crypto.read_ring(ring), name, value)
    except store.KeysMissing:
        return False
    return True


async def _check_shape(apps: dict[str, Any], manifest: Manifest) -> None:
    await schema.pending(apps)
    _, known = await schema.steps(apps)
    if ahead := sorted(set(manifest.steps) - set(known)):
        raise RestoreRefused(
            f"The backup is of a newer version of Karman, with the steps {', '.join(ahead)}. Restore it with that one."
        )


async def _check_empty(settings: Settings, apps: dict[str, Any]) -> None:
    """Raises RestoreRefused where something of somebody would go."""
    pending = await schema.pending(apps)
    tables = [table.name for table in rows.tables() if table.name not in UNOWNED]
    if store.SHAPED_BY in pending:
        tables = []
    elif pending:
        # Of an older shape; nobody has anything without an account.
        tables = ["account"]
    for table in tables:
        if await db.fetch(f'SELECT 1 FROM "{table}" LIMIT 1'):  # noqa: S608 - our own names
            raise RestoreRefused(NOT_EMPTY)
    async for _ in open_blobs(settings).list("pictures/"):
        raise RestoreRefused(f"There are pictures already. {NOT_EMPTY}")


NOT_EMPTY = "The store is not empty. With --replace everything in it goes and the backup takes its place."


async def _is_half_restored(apps: dict[str, Any]) -> bool:
    if store.SHAPED_BY in await schema.pending(apps):
        return False
    return await store.StoreFact.exists(name=store.RESTORING)


async def _carry_out(settings: Settings, apps: dict[str, Any], plan: Plan) -> None:
    path = settings.data / app.KEYS_FILE
    if not settings.keys and _ring_here(settings) != plan.ring:
        # First, so that there is no moment at which rows are there and what opens them is not.
        crypto.replace_ring(path, plan.ring)
    replaced = await _spaces(apps)
    await _restore_rows(apps, plan)
    await schema.migrate(apps)
    await _let_go(replaced - await _spaces(apps))
    await _restore_pictures(settings, plan)
    await _finish(plan)


async def _restore_rows(apps: dict[str, Any], plan: Plan) -> None:
    names = [table.name for table in rows.tables()] + sorted(rows.LEFT_OUT)
    async with schema.rebuilt(apps, names, plan.manifest.steps[-1]):
        for name, content in archive.parts(plan.file):
            if match := ROWS.fullmatch(name):
                count = await rows.load(match[1], content, _stays if match[1] == FACTS else lambda _: True)
                if count != plan.manifest.rows.get(match[1]):
                    raise ArchiveDamaged(f"{plan.file}: {name} has not the number of rows that its manifest says.")
        await store.StoreFact.create(name=store.RESTORING, value=plan.manifest.made_at)


def _stays(fact: list[Any]) -> bool:
    return not {store.EPOCH, store.RESTORING} & set(fact)


async def _spaces(apps: dict[str, Any]) -> set[str]:
    if store.SHAPED_BY in await schema.pending(apps):
        return set()
    return {str(row["id"]) for row in await db.fetch("SELECT id FROM space")}


async def _let_go(spaces: set[str]) -> None:
    """The service removes the pictures of these spaces, which the backup does not have."""
    if spaces:
        await GoneSpace.bulk_create([GoneSpace(id=space_id) for space_id in spaces], rows.BATCH, ignore_conflicts=True)


async def _restore_pictures(settings: Settings, plan: Plan) -> None:
    blobs = open_blobs(settings)
    for name, content in archive.parts(plan.file):
        if name.startswith("pictures/"):
            await blobs.put(name, content.read())


async def _finish(plan: Plan) -> None:
    """The store is whole: devices are to fetch everything anew, and to say again what the backup did not see."""
    sql = (
        "INSERT INTO restored_space (space_id, epoch, version) "
        "SELECT id, CAST($1 AS text), version FROM space WHERE true ON CONFLICT (space_id, epoch) DO NOTHING"
    )
    async with db.transaction():
        await db.fetch(sql, plan.manifest.epoch)
        await store.StoreFact.create(name=store.EPOCH, value=secrets.token_hex(8))
        await store.StoreFact.filter(name=store.RESTORING).delete()
    await store.note_keys(crypto.read_ring(plan.ring))
