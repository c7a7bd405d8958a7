"""The service as one declaration: what there is, what answers where, and what opens and closes with it."""

import asyncio
import gc
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db, intake, schema, shell, store
from aggregator.accounts import outbox, ways
from aggregator.accounts.allowance import SignInLimits
from aggregator.accounts.exports import Exports
from aggregator.accounts.leaving import Leaving, forget_gone_devices
from aggregator.accounts.passwords import Passwords
from aggregator.accounts.routes import LeavingRoutes
from aggregator.accounts.sessions import Sessions
from aggregator.accounts.ways_in import WaysIn
from aggregator.blobs import open_blobs
from aggregator.catalog import wishes
from aggregator.catalog.leaving import Belongings
from aggregator.catalog.leftovers import Leftovers, forget_uses
from aggregator.catalog.moves import ALL_MUTATORS, take_along
from aggregator.catalog.pictures import Pictures
from aggregator.catalog.reminder_routes import ReminderRoutes
from aggregator.catalog.reminders import KIND as CARDS_END
from aggregator.catalog.reminders import ReminderJob, Reminding
from aggregator.catalog.routes import PictureRoutes
from aggregator.catalog.sealing import SealedPictures
from aggregator.crypto import KeyRing, KeysUnreadable, read_ring, text_at
from aggregator.errors import NotFound, Problem
from aggregator.http import Frame, answer, problem_answer, refusal, request_id, store_error, surprise
from aggregator.jobs import Job, Runner, beside
from aggregator.merchants import routes as merchant_routes
from aggregator.merchants.directory import Directory
from aggregator.merchants.evidence import Evidence
from aggregator.merchants.known import KnownPatterns
from aggregator.merchants.learning import Learner
from aggregator.merchants.matching import Matcher
from aggregator.outbound import Outbound
from aggregator.partners import api
from aggregator.partners.office import Office
from aggregator.recognition.workers import READERS, Pool
from aggregator.settings import Settings
from aggregator.sync import leaving as sync_leaving
from aggregator.sync.about import Ledger
from aggregator.sync.household_routes import HouseholdLimits, HouseholdRoutes
from aggregator.sync.households import Households
from aggregator.sync.invitations import Invitations
from aggregator.sync.live import Pokes
from aggregator.sync.pull import Puller
from aggregator.sync.purge import Purger
from aggregator.sync.push import Pusher
from aggregator.sync.routes import SyncRoutes
from aggregator.sync.sealing import Bodies
from aggregator.sync.spaces import home_of, open_home
from aggregator.sync.subscriptions import Subscriptions
from aggregator.sync.vapid import Vapid
from aggregator.sync.webpush import Sender
from aggregator.turns import People

MODELS = (
    "aggregator.store",
    "aggregator.jobs",
    "aggregator.accounts.models",
    "aggregator.sync.models",
    "aggregator.sync.subscriptions",
    "aggregator.catalog.models",
    "aggregator.merchants.models",
    "aggregator.partners.models",
)
KEYS_FILE = "keys.json"
WARM_AFTER_S = 5
# Whom a push service may write to about a server that has no address.
NOBODY = "mailto:karman@localhost"


def ring(settings: Settings) -> KeyRing:
    """The key ring that the settings name, made on first use beside the embedded store; raises KeysUnreadable."""
    return read_ring(ring_text(settings))


def ring_text(settings: Settings) -> str:
    """As `ring`, the JSON."""
    if settings.keys:
        return settings.keys
    # In this order, since another process that starts at this moment makes the ring first and the store then.
    is_sealed = (settings.data / db.SQLITE_FILE).exists()
    path = settings.data / KEYS_FILE
    if is_sealed and not path.exists():
        raise KeysUnreadable(f"{path} is missing. Nothing in this store opens without it: put it back from a backup.")
    return text_at(path)


@asynccontextmanager
async def opened_store(settings: Settings, keys: KeyRing) -> AsyncIterator[db.Store]:
    """The store, brought to this version's shape and proven to open with these keys."""
    async with store.held(settings), db.connected(settings, MODELS) as opened:
        apps = db.config(settings, MODELS)["apps"]
        if store.SHAPED_BY not in await schema.pending(apps):
            # Before it is given another shape: a store that is refused stays as it was.
            await store.refuse_half_restored()
            await store.verify_keys(keys)
        await schema.migrate(apps)
        await store.note_keys(keys)
        yield opened


class Service:
    """Everything one process holds. Built before the event loop runs; `lifespan` opens what needs it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = ring(settings)
        self.sessions = Sessions(settings)
        self.passwords = Passwords()
        self.pokes = Pokes()
        self.blobs = open_blobs(settings)
        self.pictures = Pictures(self.blobs, self.keys)
        self.belongings = Belongings(self.blobs, self.keys, self.pictures)
        ledger = Ledger(self.keys, self.pokes)
        self.invitations = Invitations(ledger, self.pokes)
        self.directory = Directory.read()
        self.matcher = Matcher(self.directory)
        self.patterns = KnownPatterns(self.directory)
        self.outbound = Outbound(settings.allowed_hosts)
        self.subscriptions = Subscriptions(self.outbound)
        # Without a port, which push services refuse in it.
        contact = f"https://{urlsplit(settings.address).hostname}" if settings.secure else NOBODY
        self.vapid = Vapid(self.keys, contact)
        self.office = Office(
            settings, self.keys, self.pokes, self.outbound, self.directory, self.sessions, self.subscriptions
        )
        self.households = Households(
            ledger, self.pokes, take_along, self.belongings.empty, self.pictures.copy, self.office.hooks
        )
        homes = (open_home, home_of)
        self.ways_in = WaysIn(settings, self.sessions, self.passwords, self.outbound, homes, self._ended)
        self.pool = Pool(settings.workers, settings.queue, reader=READERS[settings.text])

    def app(self) -> Frame:
        """The ASGI application. The frame stands outside of everything, so that even a failure carries a request id."""
        settings = self.settings
        inner = Starlette(routes=self.routes(), exception_handlers=ERRORS, lifespan=self.lifespan)
        fixed_origin = settings.address if settings.public_url else ""
        return Frame(People(inner, bulk=api.ROOT), fixed_origin, settings.secure, shell.CONTENT_POLICY)

    def routes(self) -> list[BaseRoute]:
        """What answers where."""
        limits = SignInLimits(self.settings.limit_scale)
        mutators = [*ALL_MUTATORS, *self.office.mutators]
        pusher = Pusher(self.keys, mutators, self.pokes, self.pictures.copy, self.office.hooks)
        return [
            *SyncRoutes(self.sessions, pusher, self.pokes).routes(),
            *self._households().routes(),
            *self.ways_in.routes(limits),
            *self._leaving(limits).routes(),
            *PictureRoutes(self.sessions, self.pictures).routes(),
            *ReminderRoutes(self.sessions, self.subscriptions, self.vapid).routes(),
            *merchant_routes.routes(
                self.directory, self.matcher, self.settings.limit_scale, self.office.own_entries.newcomers
            ),
            *intake.routes(
                self.pool,
                intake.Allowance.scaled(self.settings.limit_scale, self.sessions),
                Evidence(self.matcher, self.directory, lambda: self.patterns.current),
            ),
            *self.office.routes(),
            Route("/api/health", _health),
            *shell.routes(self.settings.web),
        ]

    def _households(self) -> HouseholdRoutes:
        limits = HouseholdLimits(self.settings.limit_scale)
        return HouseholdRoutes(self.sessions, self.households, self.invitations, limits)

    def _leaving(self, limits: SignInLimits) -> LeavingRoutes:
        """What goes with an account, and what its person can take along: every package's share."""
        erasers = [
            *self.office.erasers,
            *(self.households.erase, outbox.erase, wishes.erase, self.belongings.erase, sync_leaving.erase),
        ]
        leaving = Leaving(self.passwords, erasers, self._ended)
        exports = Exports(
            [
                *(ways.export, sync_leaving.export, self.households.export, wishes.export, self.belongings.export),
                *self.office.exporters,
            ]
        )
        return LeavingRoutes(leaving, exports, self.sessions, limits)

    async def _ended(self, device_id: uuid.UUID) -> None:
        """A device is signed out: it hears no more, and is told no more."""
        # Its stream first: should the store fail over the rest, that is tidied up later.
        await self.pokes.end(device_id)
        await self.subscriptions.forget(device_id)

    def _reminders(self) -> ReminderJob:
        reminding = Reminding(self.keys, self.subscriptions)
        composers = {CARDS_END: reminding.compose, **self.office.composers}
        return ReminderJob(reminding, Sender(self.vapid, self.outbound, self.subscriptions, composers))

    def jobs(self) -> list[Job]:
        """What is done in the background, by one process at a time."""
        learner = Learner(self.keys, self.directory, self.patterns)
        purger = Purger(self.pokes, [forget_uses, *self.office.after_purge])
        leftovers = Leftovers(self.blobs, self.keys)
        return [
            Job("learn-patterns", timedelta(days=1), learner.run),
            Job("purge", timedelta(hours=1), purger.run),
            Job("remove-leftover-pictures", timedelta(days=1), leftovers.run),
            Job("reseal-bodies", timedelta(hours=1), Bodies(self.keys).reseal),
            Job("reseal-pictures", timedelta(hours=1), SealedPictures(self.blobs, self.keys).reseal),
            Job("remove-gone-pictures", timedelta(hours=1), self.belongings.tidy),
            Job("forget-invitations", timedelta(days=1), self.invitations.forget),
            *self.ways_in.jobs(),
            Job("forget-gone-devices", timedelta(days=1), forget_gone_devices),
            Job("reminders", timedelta(minutes=5), self._reminders().run),
            Job("reseal-vapid", timedelta(hours=1), self.vapid.reseal),
            *self.office.jobs(),
        ]

    def _warm(self) -> None:
        built = asyncio.get_running_loop().run_in_executor(None, self.matcher.build)
        # A collector that walks the index holds everybody up for as long as ten answers take.
        built.add_done_callback(lambda _: gc.freeze())

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        """Open for requests inside the block."""
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(opened_store(self.settings, self.keys))
            stack.callback(self.passwords.close)
            stack.push_async_callback(self.pool.close)
            await self.pool.start()
            # Later, so that a start is not held up by it; a search that comes earlier builds it itself.
            warming = asyncio.get_running_loop().call_later(WARM_AFTER_S, self._warm)
            stack.callback(warming.cancel)
            await self.patterns.refresh(opened)
            await stack.enter_async_context(beside(self.patterns.tend(opened)))
            await stack.enter_async_context(beside(self.ways_in.tend()))
            await stack.enter_async_context(self.office.open(opened))
            await stack.enter_async_context(beside(Runner(opened, self.jobs()).run()))
            if self.settings.database:
                stack.callback(asyncio.create_task(self.pokes.hear(opened)).cancel)
            # What is here by now stays: a collector that walked it again and again would hold up everybody.
            gc.freeze()
            stack.callback(gc.unfreeze)
            yield {"store": opened, "puller": Puller(opened, self.keys, await store.epoch())}


async def _health(request: Request) -> Response:
    return answer({"status": "ok"})


def _http_error(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses, in the shape of everything else."""
    found = cast(HTTPException, error)
    if found.status_code == 404:
        return refusal(request, NotFound("not-found", "There is nothing at this address."))
    code = {405: "method-not-allowed", 413: "too-large", 400: "bad-request"}.get(found.status_code, "refused")
    problem = Problem(code, found.detail, headers=dict(found.headers or {}))
    problem.status, problem.title = found.status_code, found.detail
    return problem_answer(problem, request_id(request.scope))


ERRORS: Any = {
    Problem: refusal,
    HTTPException: _http_error,
    **dict.fromkeys(db.STORE_ERRORS, store_error),
    Exception: surprise,
}
