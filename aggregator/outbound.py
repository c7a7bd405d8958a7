"""The one HTTP client for addresses that somebody else supplied: it goes to public addresses only, connects to the very
address it has checked, follows no redirect, and neither waits nor reads for ever.
"""

import asyncio
import functools
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 4.0
LIMIT_BYTES = 256_000
MAX_URL = 2_048
MAX_PORT = 65_535
IPV4 = 4
# Of the seconds in Retry-After: more than anything waits.
MAX_DIGITS = 9
# Names with more addresses are tried at their first ones only.
MAX_ADDRESSES = 3
# After encoding: a name, an IPv4 address or an IPv6 one.
HOST = re.compile(rb"[A-Za-z0-9._:-]+")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that anybody is given of IPv6 (RFC 4291, 2.4): beside it are networks that are inner ones or none.
UNICAST = ipaddress.ip_network("2000::/3")

# A name server that never answers holds a thread for as long as the system is patient: not one that others wait for.
_RESOLVERS = ThreadPoolExecutor(16, "resolver")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host name; raises OSError."""


class NotAllowed(Exception):
    """We do not go to this address, now or later; the message says why."""


class NoAnswer(Exception):
    """Nobody answered, or not in time, or too much; it may work later."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, redirects and errors included. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked_ms(self) -> int:
        """How long the other side wants to be left alone (Retry-After); a date there is as good as nothing."""
        asked = self.headers.get("retry-after", "")
        return int(asked) * 1000 if asked.isascii() and asked.isdigit() and len(asked) <= MAX_DIGITS else 0

    def json(self) -> Any:
        """The body as JSON; raises NoAnswer where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NoAnswer("The answer is not JSON.") from error


async def resolve(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives; raises OSError."""
    look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, look_up)
    return [str(address[0]) for *_, address in found]


class Outbound:
    """Calls other people's servers. `private_hosts` are the `host` or `host:port` that the operator allows although
    they are private or speak plain http.
    """

    def __init__(self, private_hosts: Collection[str] = (), resolve: Resolve = resolve) -> None:
        self._private_hosts = {_spelt(host) for host in private_hosts}
        self._resolve = resolve

    def check(self, url: str) -> None:
        """Raises NotAllowed for an address that `fetch` would refuse without asking anybody: its spelling, its scheme,
        or an IP address that is not public.
        """
        self._checked(url)

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        limit_bytes: int = LIMIT_BYTES,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """What the server answers, whatever its status. All of it takes at most `timeout_s`; an answer of more than
        `limit_bytes` is none, and with 0 no body is read. Raises NotAllowed or NoAnswer.
        """
        target, is_private = self._checked(url)
        try:
            async with asyncio.timeout(timeout_s):
                addresses = await self._addresses(target, is_private)
                request = httpx.Request(method, target, headers=_headers(target, headers), content=body)
                return await _first(request, addresses, limit_bytes, timeout_s)
        except TimeoutError:
            raise NoAnswer(f"{_host(target)} did not answer within {timeout_s:g} s.") from None

    def _checked(self, url: str) -> tuple[httpx.URL, bool]:
        """The address, and whether the operator allows it whatever it is."""
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, TypeError, ValueError):
            raise NotAllowed("This is not an address.") from None
        is_spelt = len(url) <= MAX_URL and HOST.fullmatch(target.raw_host) and not target.userinfo
        if not is_spelt or target.scheme not in {"http", "https"} or not 0 < _port(target) <= MAX_PORT:
            raise NotAllowed("Only an https address without a user's name is called.")
        is_private = bool({_host(target), f"{_host(target)}:{_port(target)}"} & self._private_hosts)
        if not is_private:
            _refuse_plain(target)
        return target, is_private

    async def _addresses(self, target: httpx.URL, is_private: bool) -> Sequence[str]:
        host = _host(target)
        try:
            addresses = list(dict.fromkeys(await self._resolve(host, _port(target))))
        except (OSError, UnicodeError) as error:
            raise NoAnswer(f"{host} has no address.") from error
        # One private address among public ones is reason enough: who answers so means no good.
        if not is_private and not all(is_public(address) for address in addresses):
            raise NotAllowed(f"{host} is not a public address; an operator may allow it with --private-hosts.")
        return addresses[:MAX_ADDRESSES]


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet, an IPv4 address inside an IPv6 one looked at, too."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(found)
    is_given = found.version == IPV4 or found in UNICAST or bool(inner)
    return is_given and all(one.is_global and not one.is_multicast for one in (found, *inner))


def _inner(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Sequence[ipaddress.IPv4Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        wrapped.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in wrapped if one is not None]


def _host(target: httpx.URL) -> str:
    """The host as name servers and certificates have it. Python would make `strasse.de` of `straße.de`, which is
    another domain, of another owner.
    """
    return target.raw_host.decode("ascii")


def _spelt(host: str) -> str:
    """A host of the operator's, with a port or without, in the same spelling."""
    return host.lower() if host.isascii() else httpx.URL(f"//{host}").netloc.decode("ascii")


def _port(target: httpx.URL) -> int:
    return (443 if target.scheme == "https" else 80) if target.port is None else target.port


def _refuse_plain(target: httpx.URL) -> None:
    if target.scheme != "https":
        raise NotAllowed("Only https is spoken to others; an operator may allow a host with --private-hosts.")
    try:
        ipaddress.ip_address(_host(target))
    except ValueError:
        return
    if not is_public(_host(target)):
        raise NotAllowed(f"{_host(target)} is not a public address.")


def _headers(target: httpx.URL, headers: Mapping[str, str] | None) -> dict[str, str]:
    # Compressed, a few bytes may become more than anybody has memory for.
    fixed = {"host": target.netloc.decode("ascii"), "accept-encoding": "identity", "user-agent": "karman"}
    return {**fixed, **{name.lower(): value for name, value in (headers or {}).items()}}


async def _first(request: httpx.Request, addresses: Sequence[str], limit_bytes: int, timeout_s: float) -> Answer:
    """The answer from the first address that takes a connection."""
    host = _host(request.url)
    for address in addresses:
        # The name goes into TLS as it is: the certificate must be the host's, wherever it was found.
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address.partition("%")[0]),
            headers=request.headers,
            content=request.content,
            extensions={"sni_hostname": host, "timeout": httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S).as_dict()},
        )
        try:
            return await _sent(pinned, limit_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
        except httpx.HTTPError as error:
            raise NoAnswer(f"{host} broke off: {type(error).__name__}.") from error
    raise NoAnswer(f"{host} takes no connection.")


async def _sent(request: httpx.Request, limit_bytes: int) -> Answer:
    async with httpx.AsyncHTTPTransport(verify=_tls(), retries=0) as transport:
        response = await transport.handle_async_request(request)
        try:
            body = await _read(response, limit_bytes) if limit_bytes else b""
        finally:
            await response.aclose()
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


async def _read(response: httpx.Response, limit_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NoAnswer("The answer is compressed, which nobody asked for.")
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > limit_bytes:
            raise NoAnswer(f"The answer has more than {limit_bytes} bytes.")
        parts.append(part)
    return b"".join(parts)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()
