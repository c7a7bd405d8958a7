"""Signing in with a provider, and linking one to an account. Who somebody is there is told by (issuer, subject) alone:
an address that both know joins nothing.
"""

import secrets
import uuid
from typing import Any

from tortoise.exceptions import IntegrityError

from aggregator import db
from aggregator.accounts import challenges
from aggregator.accounts.addresses import email_key, is_email
from aggregator.accounts.models import Account, Device, Identity
from aggregator.accounts.openid import Claims, OpenId, Secrets, refused
from aggregator.accounts.people import Arrival, People
from aggregator.accounts.sessions import now_ms
from aggregator.errors import Conflict, Forbidden, NotFound, Unauthorized
from aggregator.outbound import Outbound
from aggregator.settings import Settings

SIGN_IN, LINK, PROVE = "sign-in", "link", "prove"
PURPOSES = (SIGN_IN, LINK, PROVE)
BACK = "/signed-in"
MOST = 20


class Providers:
    """All providers that the settings name."""

    def __init__(self, settings: Settings, outbound: Outbound, people: People) -> None:
        back = settings.address + BACK
        self._known = {one.id: OpenId(one, outbound, back) for one in settings.sign_in_providers}
        self._people = people

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return list(self._known)

    def shown(self) -> list[dict[str, str]]:
        """What a sign-in screen needs."""
        return [{"id": one.provider.id, "name": one.provider.name} for one in self._known.values()]

    async def start(self, name: str, purpose: str, account_id: uuid.UUID | None, device: str) -> tuple[str, str]:
        """Where the browser goes, and the secret for its cookie; raises NotFound or Unavailable."""
        if name not in self._known:
            raise NotFound
        browser = secrets.token_urlsafe(32)
        body = {"provider": name, "device": device, "nonce": secrets.token_urlsafe(32)}
        body["verifier"] = secrets.token_urlsafe(48)
        state = await challenges.ask(purpose, body, account_id=account_id, browser=browser)
        made = Secrets(state, body["nonce"], body["verifier"])
        return await self._known[name].url(made, anew=purpose == PROVE), browser

    async def sign_in(self, state: str, code: str, issuer: str | None, browser: str) -> Arrival:
        """Whoever came back, on their account or on a new one; raises Forbidden or Unavailable."""
        asked = await challenges.answered(state, SIGN_IN, browser=browser)
        claims, _ = await self._claims(state, asked.body, code, issuer)
        device = str(asked.body["device"])
        try:
            return await self._known_or_new(claims, asked.body["provider"], device)
        except IntegrityError:
            # The same person in another browser at this moment; or an address taken meanwhile.
            return await self._known_or_new(claims, asked.body["provider"], device)

    async def link(self, account_id: uuid.UUID, state: str, code: str, issuer: str | None, browser: str) -> None:
        """Whoever came back is the person of this account from now on; raises Conflict, Forbidden or Unavailable."""
        asked = await challenges.answered(state, LINK, account_id=account_id, browser=browser)
        claims, provider = await self._claims(state, asked.body, code, issuer)
        if await Identity.filter(account_id=account_id).count() >= MOST:
            raise Conflict("too-many-identities", f"An account is linked at most {MOST} times; remove one first.")
        try:
            await _identify(account_id, provider, claims)
        except IntegrityError:
            known = await Identity.get_or_none(issuer=claims.issuer, subject=claims.subject)
            if known is None or known.account_id != account_id:
                raise Conflict("identity-taken", "This sign-in leads into another account already.") from None

    async def prove(self, account_id: uuid.UUID, state: str, code: str, issuer: str | None, browser: str) -> None:
        """Raises Forbidden unless it was the person of this account who came back."""
        asked = await challenges.answered(state, PROVE, account_id=account_id, browser=browser)
        claims, _ = await self._claims(state, asked.body, code, issuer)
        if not await Identity.exists(account_id=account_id, issuer=claims.issuer, subject=claims.subject):
            raise Forbidden("proof-refused", "This is not the person of this account.")

    async def _claims(self, state: str, body: dict[str, Any], code: str, issuer: str | None) -> tuple[Claims, str]:
        name = str(body["provider"])
        if name not in self._known:
            raise refused("This provider signs nobody in here any more.")
        made = Secrets(state, str(body["nonce"]), str(body["verifier"]))
        return await self._known[name].claims(made, code, issuer), name

    async def _known_or_new(self, claims: Claims, provider: str, device: str) -> Arrival:
        async with db.transaction():
            known = await Identity.get_or_none(issuer=claims.issuer, subject=claims.subject)
            if known is not None:
                account = await Account.get_or_none(id=known.account_id)
                if account is None:
                    raise Unauthorized("session-expired", "The account was deleted at this moment.")
                return await self._people.arrive(account, device)
            arrival = await self._opened(claims, device)
            await _identify(arrival.account.id, provider, claims)
            return arrival

    async def _opened(self, claims: Claims, device: str) -> Arrival:
        """A new account. An address that has one already stays there, whoever of the two is its owner."""
        is_free = is_email(claims.email) and not await Account.exists(email_key=email_key(claims.email))
        email = claims.email if is_free else ""
        return await self._people.open(email, device, verified_ms=now_ms() if email else None)


async def _identify(account_id: uuid.UUID, provider: str, claims: Claims) -> None:
    await Identity.create(
        id=uuid.uuid4(),
        account_id=account_id,
        provider=provider,
        issuer=claims.issuer,
        subject=claims.subject,
        label=claims.label,
        created_ms=now_ms(),
    )


async def note_proof(device_id: uuid.UUID) -> None:
    """The person has just proved on this device who they are."""
    await Device.filter(id=device_id).update(proven_ms=now_ms())
