"""Where the service goes when somebody else supplied the address: to public hosts, as checked, and not for long."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from aggregator.outbound import Answer, NoAnswer, NotAllowed, Outbound, Resolve, is_public

Serve = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(serve: Serve) -> Iterator[tuple[int, list[BaseHTTPRequestHandler]]]:
    """A server on 127.0.0.1 and the requests it got."""
    asked: list[BaseHTTPRequestHandler] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self)
            serve(self)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def answering(status: int = 200, body: bytes = b'{"ok":true}', **headers: str) -> Serve:
    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return serve


def resolving(*turns: Sequence[str]) -> Resolve:
    """A resolver that answers each question with the next of `turns`, as a name server with bad intentions does."""
    left = list(turns)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return left.pop(0)

    return resolve


def fetch(outbound: Outbound, url: str, **options: Any) -> Answer:
    return asyncio.run(outbound.fetch(url, **options))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::"),
        *(
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2001:0:0:0:0:0:80ff:fffe",
            "::7f00:1",
            "fec0::1",
            "255.255.255.255",
            "224.0.0.1",
            "no address",
        ),
    ],
)
def test_an_address_inside_is_no_public_one_however_it_is_wrapped(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest"),
        *("http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://", "https://user@example.org/"),
        *("//example.org", "example.org", "", "https://exa mple.org/", f"https://example.org/{'a' * 3_000}"),
    ],
)
def test_an_address_that_is_not_called_is_refused_before_anybody_is_asked(url: str) -> None:
    outbound = Outbound(resolve=resolving())
    with pytest.raises(NotAllowed):
        outbound.check(url)
    with pytest.raises(NotAllowed):
        fetch(outbound, url)


@pytest.mark.parametrize("address", ["127.0.0.1", "0x7f.1", "2130706433", "127.1"])
def test_a_name_for_an_inner_address_is_refused(address: str) -> None:
    with pytest.raises((NotAllowed, NoAnswer)):
        fetch(Outbound(), f"https://{address}:1/")


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    outbound = Outbound(resolve=resolving(["93.184.216.34", "10.0.0.7"]))
    with pytest.raises(NotAllowed):
        fetch(outbound, "https://push.example/")


def test_an_allowed_host_is_called_by_the_address_that_was_looked_up_once() -> None:
    with serving(answering(X_One="1")) as (port, asked):
        turns = resolving(["127.0.0.1"], ["192.0.2.1"])
        answer = fetch(Outbound([f"Provider.lan:{port}"], turns), f"http://provider.lan:{port}/a?b=c")
        assert (answer.status, answer.json(), answer.headers["x-one"]) == (200, {"ok": True}, "1")
        [request] = asked
        assert (request.path, request.headers["host"]) == ("/a?b=c", f"provider.lan:{port}")


def test_a_name_in_any_letters_is_looked_up_as_the_domain_it_is() -> None:
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["10.0.0.1"]

    for host in ("straße.example", "xn--strae-oqa.example", "xn--a.example"):
        with pytest.raises(NotAllowed):
            fetch(Outbound(resolve=resolve), f"https://{host}/")
    assert asked == ["xn--strae-oqa.example", "xn--strae-oqa.example", "xn--a.example"]
    Outbound(["Straße.lan:8443"]).check("http://straße.lan:8443/")


def test_of_a_large_answer_its_head_may_be_enough() -> None:
    with serving(answering(body=b"x" * 2_000, Content_Encoding="gzip")) as (port, _):
        answer = fetch(Outbound(["127.0.0.1"]), f"http://127.0.0.1:{port}/", limit_bytes=0)
    assert (answer.status, answer.body) == (200, b"")


def test_an_allowed_port_allows_no_other_one() -> None:
    with pytest.raises(NotAllowed):
        fetch(Outbound(["127.0.0.1:8443"]), "https://127.0.0.1:8444/")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with serving(answering(302, b"", Location="http://127.0.0.1:1/secret")) as (port, asked):
        answer = fetch(Outbound(["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert (answer.status, len(asked)) == (302, 1)


def test_too_long_compressed_and_late_answers_are_none() -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        time.sleep(1)

    cases: list[tuple[Serve, dict[str, Any]]] = [
        (answering(body=b"x" * 2_000), {"limit_bytes": 1_000}),
        (answering(Content_Encoding="gzip"), {}),
        (slowly, {"timeout_s": 0.2}),
    ]
    for serve, options in cases:
        with serving(serve) as (port, _), pytest.raises(NoAnswer):
            fetch(Outbound(["127.0.0.1"]), f"http://127.0.0.1:{port}/", **options)


def test_a_host_that_takes_no_connection_or_has_no_name_gives_no_answer() -> None:
    for url in ("http://127.0.0.1:1/", "http://nowhere.invalid/"):
        with pytest.raises(NoAnswer):
            fetch(Outbound(["127.0.0.1", "nowhere.invalid"]), url)
