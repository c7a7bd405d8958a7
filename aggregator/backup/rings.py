"""The command `keys`: a ring is made, shown, rotated, freed of an old key, or taken out of a backup."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aggregator import app, crypto, db, store
from aggregator.backup.commands import passphrase_of
from aggregator.backup.restore import ring_in
from aggregator.blobs import open_blobs
from aggregator.catalog.sealing import SealedPictures
from aggregator.partners.resealing import PartnerBoxes
from aggregator.settings import Settings
from aggregator.sync.sealing import Bodies
from aggregator.sync.vapid import Vapid

ACTIONS = ("new", "show", "rotate", "drop", "unpack")


class KeysRefused(Exception):
    """The ring stays as it is; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `keys` takes."""
    parser.add_argument(
        "action",
        nargs="?",
        default="new",
        choices=ACTIONS,
        help="new prints a ring (the default); show lists the keys of the store's; rotate adds a key that seals from "
        "now on; drop ID takes an old key out; unpack FILE prints the ring inside a backup",
    )
    parser.add_argument("what", nargs="?", default="", help="the key's id, or the backup")


async def carry_out(settings: Settings, asked: Mapping[str, Any]) -> str:
    """What there is to say; raises KeysRefused and what the stores raise."""
    match asked["action"], asked["what"]:
        case "new", _:
            return crypto.new_ring()
        case "show", _:
            return _shown(app.ring(settings))
        case "rotate", _:
            return await _rotated(settings)
        case "drop", id:
            return await _dropped(settings, id)
        case _, file:
            return ring_in(Path(file), passphrase_of(settings, "Passphrase of the key ring in the backup: "))


def _shown(ring: crypto.KeyRing) -> str:
    *older, latest = (key_id.hex() for key_id in ring.ids)
    return "\n".join([*(f"{key_id} opens" for key_id in older), f"{latest} opens and seals"])


async def _rotated(settings: Settings) -> str:
    async with app.opened_store(settings, app.ring(settings)):
        text = crypto.rotated(app.ring_text(settings))
    if settings.keys:
        return text
    crypto.replace_ring(settings.data / app.KEYS_FILE, text)
    key_id = crypto.read_ring(text).ids[-1].hex()
    return f"The key {key_id} seals from the next start on. What older keys sealed is sealed anew in the background."


async def _dropped(settings: Settings, id: str) -> str:
    """Take an old key out of the ring, once nothing needs it."""
    ring = app.ring(settings)
    if id not in {key_id.hex() for key_id in ring.ids}:
        raise KeysRefused(f"The ring has no key {id!r}; `python -m aggregator keys show` lists them.")
    if id == ring.ids[-1].hex():
        raise KeysRefused(f"{id} is the key that seals: rotate first.")
    key_id = bytes.fromhex(id)
    # Alone, since a process that was started before the last rotation may still seal with this very key.
    async with store.held(settings, alone=True), db.connected(settings, app.MODELS) as opened:
        await store.refuse_half_restored()
        await store.verify_keys(ring)
        await _refuse_needed(settings, ring, opened, key_id)
        # The store's demand goes first: a ring with one key too many opens it all the same.
        await store.forget_key(key_id)
    text = crypto.without(app.ring_text(settings), key_id)
    if settings.keys:
        return text
    crypto.replace_ring(settings.data / app.KEYS_FILE, text)
    return f"The key {id} is gone. Backups made with it need it still: keep them with their own ring."


async def _refuse_needed(settings: Settings, ring: crypto.KeyRing, opened: db.Store, key_id: bytes) -> None:
    bodies = await Bodies(ring).under(opened, key_id)
    pictures = await SealedPictures(open_blobs(settings), ring).under(opened, key_id)
    of_shops = await PartnerBoxes(ring).under(opened, key_id)
    signs = await Vapid(ring, "").under(key_id)
    if bodies or pictures or of_shops or signs:
        await store.reseal_again()
        what = "The key that signs notices is"
        if bodies or pictures or of_shops:
            what = f"{bodies} cards and {pictures} pictures{f' and {of_shops} things of shops' if of_shops else ''} are"
        raise KeysRefused(
            f"{what} still sealed with {key_id.hex()}. The running service seals them anew, within the hour."
        )
