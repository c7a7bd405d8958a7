"""Passwords with argon2id (RFC 9106), off the event loop and never more than a few at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from aggregator.errors import Unavailable

T = TypeVar("T")

THREADS = 2
MAX_WAITING = 32

_hasher = PasswordHasher()
# Checked when there is no such account, so that a stranger cannot tell by time.
_nobodys = _hasher.hash("the password of no account")


class Passwords:
    """Hashes and checks; each takes some 50 ms of one core and 64 MiB, hence the bounds."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The argon2id hash with its parameters, in PHC form. Raises Unavailable under too much load."""
        return await self._run(lambda: _hasher.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; takes as long when there is no hash. Raises Unavailable under too much
        load.
        """
        return await self._run(lambda: _verify(password_hash or _nobodys, password)) and password_hash is not None

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("busy", "Too many people are signing in at this moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
