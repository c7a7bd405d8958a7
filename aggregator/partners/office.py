"""What one process holds for shops: endpoints, routes, background work, and this package's share in what other packages
do."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from starlette.routing import BaseRoute

from aggregator import db
from aggregator.accounts.exports import Exporter
from aggregator.accounts.leaving import Erase
from aggregator.accounts.sessions import Sessions
from aggregator.crypto import KeyRing
from aggregator.jobs import Job, beside
from aggregator.merchants.directory import Directory
from aggregator.outbound import Outbound
from aggregator.partners import attempts, events, offer_marks, offers, problem_pages, wishes
from aggregator.partners.allowance import Allowance
from aggregator.partners.api import Endpoint
from aggregator.partners.balance_routes import BalanceDesk
from aggregator.partners.balances import Balances
from aggregator.partners.carrier import Carrier
from aggregator.partners.credential_routes import CredentialRoutes
from aggregator.partners.credentials import Tokens
from aggregator.partners.cursors import Cursors
from aggregator.partners.deliveries import Sender
from aggregator.partners.erasing import Traces
from aggregator.partners.event_routes import EventRoutes
from aggregator.partners.events import Bell
from aggregator.partners.gate import Gate
from aggregator.partners.idempotency import Memory
from aggregator.partners.link_hooks import AfterCards, follow_cards
from aggregator.partners.link_routes import LinkDesk, LinkRoutes
from aggregator.partners.linking import Linking
from aggregator.partners.news import News
from aggregator.partners.oauth import OAuth
from aggregator.partners.offer_notices import KIND as OFFER
from aggregator.partners.offer_notices import OfferNotices
from aggregator.partners.offer_routes import OfferDesk, OfferRoutes
from aggregator.partners.openapi import OpenApi
from aggregator.partners.own_entries import OwnEntries
from aggregator.partners.pictures import PartnerPictures
from aggregator.partners.programme_routes import ProgrammeDesk, Showcase
from aggregator.partners.request_log import RequestLog
from aggregator.partners.request_routes import RequestRoutes
from aggregator.partners.resealing import PartnerBoxes
from aggregator.partners.sandbox import Sandbox
from aggregator.partners.sandbox_routes import SandboxRoutes
from aggregator.partners.tidying import forget_expired
from aggregator.settings import Settings
from aggregator.sync.live import Pokes
from aggregator.sync.log import Hook
from aggregator.sync.mutators import Mutator
from aggregator.sync.purge import AfterPurge
from aggregator.sync.subscriptions import Subscriptions
from aggregator.sync.webpush import Compose


class Office:
    """Built before the event loop runs; `open` is what goes on beside the calls.

    hooks, after_purge  told of every change of cards and of those that are purged, in its transaction
    mutators   what devices may change beside their cards
    erasers, exporters  what goes with an account, and what its person can take along
    composers  what a notice says, by its kind
    """

    def __init__(
        self,
        settings: Settings,
        keys: KeyRing,
        pokes: Pokes,
        outbound: Outbound,
        directory: Directory,
        sessions: Sessions,
        subscriptions: Subscriptions,
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.pokes = pokes
        self.outbound = outbound
        self.directory = directory
        self.sessions = sessions
        self.subscriptions = subscriptions
        self.tokens = Tokens()
        self.log = RequestLog()
        self.cursors = Cursors(keys)
        # To be rung after the commit of whatever told a shop something.
        self.bell = Bell()
        self.hooks: list[Hook] = [follow_cards]
        self.after_purge: list[AfterPurge] = [AfterCards(keys)]
        self.mutators: list[Mutator] = [*wishes.MUTATORS]
        self.offer_notices = OfferNotices(keys)
        self.composers: dict[str, Compose] = {OFFER: self.offer_notices.compose}
        self.pictures = PartnerPictures()
        self.programmes = ProgrammeDesk(directory, self.pictures)
        self.own_entries = OwnEntries(directory)
        self.showcase = Showcase(directory, settings.limit_scale)
        self.carrier = Carrier(keys, pokes, offers.for_cards)
        self.news = News(pokes, [self.bell.ring, self.carrier.wake])
        self.linking = Linking(keys, directory, self.news)
        self.offers = OfferDesk(keys, self.cursors, self.pictures, self.carrier)
        traces = Traces(keys, self.news)
        self.erasers: list[Erase] = [traces.erase, partial(offer_marks.erase, keys)]
        self.exporters: list[Exporter] = [traces.export, partial(offer_marks.export, keys)]

    def endpoints(self) -> list[Endpoint]:
        """Everything shops can do."""
        return [
            *self.programmes.endpoints(),
            *LinkDesk(self.keys, self.cursors, self.news).endpoints(),
            *self.offers.endpoints(),
            *CredentialRoutes(self.tokens).endpoints(),
            *BalanceDesk(Balances(self.keys), self.carrier).endpoints(),
            *RequestRoutes(self.log, self.cursors).endpoints(),
            *self._events().endpoints(),
            *SandboxRoutes(Sandbox(self.keys, self.news)).endpoints(),
        ]

    def routes(self) -> list[BaseRoute]:
        """What answers to shops, and to devices about shops."""
        endpoints = self.endpoints()
        return [
            *OAuth(self.tokens, self.settings.address, self.settings.limit_scale).routes(),
            *problem_pages.routes(),
            *OpenApi(endpoints, events.BODIES, self.settings.address).routes(),
            *self._gate().routes(endpoints),
            *self.showcase.routes(),
            *LinkRoutes(self.sessions, self.linking).routes(),
            *self.pictures.routes(),
            *OfferRoutes(self.sessions, self.keys, self.settings.limit_scale).routes(),
        ]

    def _events(self) -> EventRoutes:
        return EventRoutes(self.keys, self.outbound, self.cursors, self.bell, self.settings.limit_scale)

    def _gate(self) -> Gate:
        allowance = Allowance(self.settings.limit_scale)
        return Gate(self.tokens, allowance, Memory(self.keys), self.log, self.settings.address)

    def jobs(self) -> list[Job]:
        """What is done in the background, by one process at a time."""
        return [
            Job("forget-partners-expired", timedelta(hours=1), forget_expired),
            Job("forget-link-attempts", timedelta(hours=1), attempts.forget),
            Job("reseal-partners", timedelta(minutes=10), PartnerBoxes(self.keys).reseal),
            Job("forget-events", timedelta(hours=1), partial(events.tidy, self.keys)),
            Job("offers", timedelta(minutes=1), offers.turn),
            Job("offer-notices", timedelta(minutes=5), self.offer_notices.run),
        ]

    @asynccontextmanager
    async def open(self, store: db.Store) -> AsyncIterator[None]:
        """What every process does for itself goes on inside the block."""
        sender = Sender(self.keys, self.outbound, self.bell)
        await self.own_entries.refresh(store)
        tended = (sender.tend(), self.carrier.tend(store), self.own_entries.tend(store))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.log.open())
            for work in tended:
                await stack.enter_async_context(beside(work))
            yield
