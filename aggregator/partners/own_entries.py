"""Approved shops that the directory lacks, brought to whoever searches for shops."""

import asyncio
import logging

from aggregator import db
from aggregator.merchants.directory import Directory, Merchant
from aggregator.merchants.newcomers import Newcomers
from aggregator.partners.programmes import FIELDS, PUBLIC, Known, known_from

LOOK_EVERY_S = 60
# The last part of a slug tells nothing of the shop, so these begin with a sign of their own.
OWN = f"{PUBLIC} AND g.slug LIKE 'p-%'"
SUMMARY = f"SELECT count(*), sum(g.version), max(g.changed_ms) {OWN}"
ALL = f"SELECT {FIELDS} {OWN} ORDER BY g.slug"

_log = logging.getLogger("karman.partners")


class OwnEntries:
    """Keeps `newcomers` as the store has them."""

    def __init__(self, directory: Directory) -> None:
        self.newcomers = Newcomers()
        self._directory = directory
        self._seen: object = None

    async def refresh(self, store: db.Store) -> None:
        """Read them anew, where one has changed."""
        [summary] = await store.read(SUMMARY)
        if self._seen != tuple(summary):
            found = [known_from(row) for row in await store.read(ALL)]
            self.newcomers.replace([entry(known) for known in found if (known.slug or "") not in self._directory])
            self._seen = tuple(summary)

    async def tend(self, store: db.Store) -> None:
        """Read them anew every minute until cancelled: the operator may have approved one."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.refresh(store)
            except db.STORE_ERRORS as error:
                _log.warning("the shops' own entries stay as they are for now: %s", error)


def entry(known: Known) -> Merchant:
    """The entry of a shop, as the directory would have it: met everywhere, at home where its first name is read."""
    said = known.programme.name
    first = "ru" if "ru" in said else "en"
    names = (said[first], *(name for language, name in said.items() if language != first))
    return Merchant(slug=known.slug or "", names=tuple(dict.fromkeys(names)), home=("ru",) if first == "ru" else ())
