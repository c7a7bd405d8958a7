"""Passwords with argon2id (RFC 9106), off the event loop and never more than a few at once."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from aggregator.crew import Crew

THREADS = 2
MAX_WAITING = 32

HASHER = PasswordHasher()
# Checked when there is no such account, so that a stranger cannot tell by time; made with the hasher's own parameters
# (nobody knows the password), since making one at every start is dear.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$d2tcLrIMU0Xkhb/ZJlOJPw$W8MBfll4bfCEBl+/ECqz46ue6W1nVX3nXGqjuklgfkk"


class Passwords:
    """Hashes and checks; each takes some 50 ms of one core and 64 MiB, hence the bounds."""

    def __init__(self) -> None:
        self._crew = Crew("argon2", THREADS, MAX_WAITING)

    async def hash(self, password: str) -> str:
        """The argon2id hash with its parameters, in PHC form. Raises Unavailable under too much load."""
        return await self._crew.run(lambda: HASHER.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is no hash. Raises Unavailable under too much
        load.
        """
        return await self._crew.run(lambda: _verify(password_hash or NOBODYS, password)) and password_hash is not None

    def close(self) -> None:
        """Stop the threads."""
        self._crew.close()


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
