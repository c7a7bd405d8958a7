"""How often one network, and anybody at all for one address, may try to get in or ask for a mail."""

import uuid

from aggregator.accounts.addresses import email_key
from aggregator.limits import Limiter, address_key


class SignInLimits:
    """How often one network may sign up or in, and how often one account's address may be tried.

    Tries are counted for the pair of both first: somebody who guesses from elsewhere must not lock the owner out. The
    wider limit per account's address is for guessers with many networks.
    """

    def __init__(self, scale: int = 1) -> None:
        self._sign_ups = Limiter(f"{20 * scale}/hour")
        self._by_pair = Limiter(f"{10 * scale}/15 minutes")
        self._by_network = Limiter(f"{60 * scale}/hour")
        self._by_email = Limiter(f"{100 * scale}/hour")
        self._proofs = Limiter(f"{10 * scale}/15 minutes")
        self._mails = Limiter(f"{20 * scale}/hour")
        self._mails_to = Limiter(f"{6 * scale}/hour")
        self._exports = Limiter(f"{10 * scale}/hour")

    def sign_up(self, host: str) -> None:
        """Count one sign-up from this network address; raises TooManyRequests."""
        self._sign_ups.hit(address_key(host))

    def sign_in(self, host: str, email: str) -> None:
        """Count one try at an account's address from this network address; raises TooManyRequests."""
        network, person = address_key(host), email_key(email)
        self._by_pair.hit(f"{network} {person}")
        self._by_network.hit(network)
        self._by_email.hit(person)

    def come_in(self, host: str) -> None:
        """Count one try from this network address to come in without naming an account; raises TooManyRequests."""
        self._by_network.hit(address_key(host))

    def prove(self, host: str, what: str) -> None:
        """Count one try at one secret, a link or an account's password, from anywhere; raises TooManyRequests."""
        self._by_network.hit(address_key(host))
        self._proofs.hit(what)

    def mail(self, host: str, email: str) -> None:
        """Count one mail to an address, asked for from this network address; raises TooManyRequests."""
        self._mails.hit(address_key(host))
        self._mails_to.hit(email_key(email))

    def export(self, account_id: uuid.UUID) -> None:
        """Count one export of an account; raises TooManyRequests."""
        self._exports.hit(str(account_id))
