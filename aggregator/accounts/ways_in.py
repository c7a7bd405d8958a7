"""The ways into an account, put together: what answers, and what is done beside the answers."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from starlette.routing import BaseRoute

from aggregator.accounts.allowance import SignInLimits
from aggregator.accounts.desk import Desk
from aggregator.accounts.leaving import Ended
from aggregator.accounts.mail_routes import MailRoutes
from aggregator.accounts.outbox import Postman, forget_expired
from aggregator.accounts.passkey_routes import PasskeyRoutes
from aggregator.accounts.passkeys import Passkeys
from aggregator.accounts.passwords import Passwords
from aggregator.accounts.people import OpenHome, People
from aggregator.accounts.provider_routes import ProviderRoutes
from aggregator.accounts.providers import Providers
from aggregator.accounts.routes import AccountRoutes
from aggregator.accounts.sessions import Sessions
from aggregator.accounts.ways import Ways
from aggregator.accounts.ways_routes import WaysRoutes
from aggregator.accounts.welcome import HomeOf, Welcome
from aggregator.jobs import Job
from aggregator.mail import Post
from aggregator.outbound import Outbound
from aggregator.settings import Settings


class WaysIn:
    """Everything that lets people in. `ended` is told of every device that is signed out."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        passwords: Passwords,
        outbound: Outbound,
        homes: tuple[OpenHome, HomeOf],
        ended: Ended,
    ) -> None:
        open_home, home_of = homes
        self._sessions = sessions
        self._passwords = passwords
        self._ended = ended
        self._post = Post(settings)
        self._people = People(passwords, sessions, open_home)
        self._welcome = Welcome(sessions, home_of)
        self._postman = Postman(self._post, settings.address)
        self._passkeys = Passkeys(settings.address)
        self._providers = Providers(settings, outbound, self._people)

    def routes(self, limits: SignInLimits) -> list[BaseRoute]:
        """Everything under /api that is about getting in."""
        desk = Desk(self._people, self._passwords, self._sessions, self._welcome, self._ended, limits)
        ways = Ways(self._providers.ids)
        return [
            *AccountRoutes(desk, self._postman if self._post.is_real else None).routes(),
            *MailRoutes(desk, self._postman).routes(),
            *WaysRoutes(desk, self._providers, ways, self._post.is_real).routes(),
            *PasskeyRoutes(desk, self._passkeys, ways).routes(),
            *ProviderRoutes(desk, self._providers).routes(),
        ]

    def jobs(self) -> list[Job]:
        """What any process may do at any time."""
        return [
            Job("send-mail", timedelta(minutes=5), self._postman.run),
            Job("forget-expired-links", timedelta(hours=1), forget_expired),
        ]

    def tend(self) -> Coroutine[Any, Any, None]:
        """What every process does all the time; endless."""
        return self._postman.tend()
