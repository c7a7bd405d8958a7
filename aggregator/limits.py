"""Rate limits in memory: a sliding window per key, a bounded number of keys, no thread."""

import ipaddress
import math
import time
from collections import OrderedDict

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.requests import Request

from aggregator.errors import TooManyRequests

# Enough for every address a small server meets in a day, at about 200 bytes each.
KEYS = 50_000


class Limiter:
    """Refuses what comes more often than its rates allow.

    `rates` is one rate or several, e.g. "5/minute" or "30/minute; 300/day". Above `keys` counters the longest idle ones
    are forgotten, so that a flood of new keys costs no memory.
    """

    def __init__(self, rates: str, keys: int = KEYS) -> None:
        self._rates = parse_many(rates)
        self._windows = SlidingWindowCounterRateLimiter(_Counters(keys))

    def hit(self, key: str, cost: int = 1) -> None:
        """Count one call of `key`, or as many as it costs; raises TooManyRequests with the seconds until the next may
        come.
        """
        for rate in self._rates:
            if not self._windows.hit(rate, key, cost=cost):
                raise TooManyRequests(self._wait_s(rate, key, cost))

    def left(self, key: str) -> tuple[int, int]:
        """How many more calls of `key` its first rate allows, and in how many seconds there will be more."""
        stats = self._windows.get_window_stats(self._rates[0], key)
        return stats.remaining, max(0, math.ceil(stats.reset_time - time.time()))

    def _wait_s(self, rate: RateLimitItem, key: str, cost: int) -> int:
        first_s = self._windows.get_window_stats(rate, key).reset_time - time.time()
        # That is when there is room for one: a dear call waits for as much of the window as it takes up.
        return math.ceil(max(first_s, rate.get_expiry() * (cost - 1) / rate.amount))


def address_key(host: str) -> str:
    """What stands for one caller: an IPv4 address, or an IPv6 one's /64 network, which is what a household is given."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)


def network_of(request: Request) -> str:
    """Where a request comes from, as limits count it."""
    return address_key(request.client.host if request.client else "")


class _Counters(MemoryStorage):
    """The package's counters without its clean-up thread, which walks every key after each call.

    Counters die by age when looked at and by number when added.
    """

    def __init__(self, keys: int) -> None:
        super().__init__()
        self._most = keys
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def get(self, key: str) -> int:
        count, dies_at = self._counts.get(key, (0, 0.0))
        return count if dies_at > time.time() else 0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        count = self.get(key)
        dies_at = self._counts[key][1] if count else time.time() + expiry
        self._counts[key] = (count + amount, dies_at)
        self._counts.move_to_end(key)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count + amount

    def decr(self, key: str, amount: int = 1) -> int:
        return self.incr(key, 0, -amount) if self.get(key) else 0
