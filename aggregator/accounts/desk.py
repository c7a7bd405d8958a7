"""What the handlers about getting in share: who is asking, is it really them, and the answer to whoever came in."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from tortoise.exceptions import IntegrityError

from aggregator.accounts.allowance import SignInLimits
from aggregator.accounts.leaving import Ended
from aggregator.accounts.models import Account
from aggregator.accounts.passwords import Passwords
from aggregator.accounts.people import People
from aggregator.accounts.sessions import Session, Sessions
from aggregator.accounts.welcome import Welcome, host_of
from aggregator.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Desk:
    """`ended` is told of every device that is signed out."""

    people: People
    passwords: Passwords
    sessions: Sessions
    welcome: Welcome
    ended: Ended
    limits: SignInLimits

    async def session(self, request: Request) -> Session:
        """Who is asking; raises Unauthorized."""
        return await self.sessions.check(request.state["store"], request)

    async def fresh(self, request: Request) -> Session:
        """Who is asking and has just proved it; raises Unauthorized or Forbidden."""
        return await self.sessions.check_fresh(request.state["store"], request)

    async def account(self, session: Session) -> Account:
        """The account of a session; raises Unauthorized where it was deleted at this moment."""
        account = await Account.get_or_none(id=session.account_id)
        if account is None:
            raise Unauthorized("device-revoked", "The account of this device was deleted.")
        return account

    async def check_password(self, request: Request, account: Account, password: str) -> None:
        """Raises Forbidden for a wrong password, TooManyRequests for many."""
        self.limits.prove(host_of(request), str(account.id))
        if not await self.passwords.matches(account.password_hash, password):
            raise Forbidden("wrong-password", "This is not the password of this account.")

    async def arrived(self, account: Account, device: str) -> Response:
        """Whoever proved to be the account's person is signed in on a new device."""
        try:
            arrival = await self.people.arrive(account, device)
        except IntegrityError:
            raise Unauthorized("session-expired", "The account was deleted at this moment.") from None
        return await self.welcome.arrived(arrival)
