"""How much a shop may send, and the headers that tell it (draft-ietf-httpapi-ratelimit-headers)."""

import uuid

from aggregator.limits import Limiter

CALLS, BALANCES = 600, 200_000
WINDOW_S = 60
# Of one network: each costs a look into the store.
WRONG_TOKENS = 300


class Allowance:
    """Counts calls and balances of each shop; `scale` multiplies what is allowed."""

    def __init__(self, scale: int) -> None:
        self._calls = Limiter(f"{CALLS * scale}/minute")
        self._balances = Limiter(f"{BALANCES * scale}/minute")
        self._wrong_tokens = Limiter(f"{WRONG_TOKENS * scale}/minute")
        self.policy = f'"calls";q={CALLS * scale};w={WINDOW_S}, "balances";q={BALANCES * scale};w={WINDOW_S}'

    def call(self, partner_id: uuid.UUID) -> None:
        """Count a call; raises TooManyRequests."""
        self._calls.hit(str(partner_id))

    def wrong_token(self, network: str) -> None:
        """Count a token that is none; raises TooManyRequests."""
        self._wrong_tokens.hit(network)

    def balances(self, partner_id: uuid.UUID, amount: int) -> None:
        """Count balances; raises TooManyRequests."""
        if amount > 0:
            self._balances.hit(str(partner_id), amount)

    def headers(self, partner_id: uuid.UUID | None) -> dict[str, str]:
        """What every answer tells; without a shop only the rules."""
        if partner_id is None:
            return {"RateLimit-Policy": self.policy}
        calls, again_s = self._calls.left(str(partner_id))
        balances, more_s = self._balances.left(str(partner_id))
        left = f'"calls";r={calls};t={again_s}, "balances";r={balances};t={more_s}'
        return {"RateLimit-Policy": self.policy, "RateLimit": left}
