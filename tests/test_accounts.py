"""Signing up, in and out, devices, and what a stranger at the door may try and learn."""

import unicodedata
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator.accounts.allowance import SignInLimits
from aggregator.errors import TooManyRequests
from tests.answers import assert_problem, masked, pointers
from tests.servers import free_ports
from tests.service import PASSWORD, Person, Running, ServiceOptions, client, running
from tests.stores import Rows

COOKIE = "karman"


def credentials(email: str = "", **changed: Any) -> dict[str, Any]:
    """The body of signing up and in."""
    return {"email": email or address(), "password": PASSWORD, "device": "телефон", **changed}


def address() -> str:
    return f"{uuid.uuid4().hex}@example.org"


def sign_up(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
    with client(url) as browser:
        return browser.post("/api/accounts", json=body, headers=headers)


def sign_in(url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
    with client(url) as browser:
        return browser.post("/api/session", json=body, headers=headers)


def with_cookie(url: str, token: str) -> httpx.Client:
    """A browser that holds this cookie."""
    return client(url, cookies={COOKIE: token})


# Up, in and out


def test_signing_up_answers_who_one_is_and_signs_in(service: Running) -> None:
    email = address()
    answer = sign_up(service.url, credentials(email))
    assert answer.status_code == 201
    body = answer.json()
    assert body.keys() == {"account", "device", "space"}
    assert body["account"].keys() == {"id", "email"}
    assert (body["account"]["email"], body["device"]["name"]) == (email, "телефон")
    with with_cookie(service.url, answer.cookies[COOKIE]) as browser:
        assert browser.get("/api/session").json() == body


def test_signing_in_is_a_new_device_of_the_same_account_and_space(service: Running, person: Person) -> None:
    answer = sign_in(service.url, credentials(person.email))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["account"]["id"], body["space"]) == (person.account, person.space)
    assert body["device"]["id"] != person.device


def test_signing_out_forgets_the_device_and_its_cookie(person: Person) -> None:
    with person.another_device() as other:
        token = other.http.cookies[COOKIE]
        answer = other.http.delete("/api/session")
        assert (answer.status_code, answer.content) == (204, b"")
        assert COOKIE not in other.http.cookies
        listed = [device["id"] for device in person.http.get("/api/devices").json()["devices"]]
        assert listed == [person.device]
        with with_cookie(str(person.http.base_url), token) as browser:
            assert_problem(browser.get("/api/session"), 401, "session-expired")


def test_without_a_cookie_one_is_asked_to_sign_in(service: Running) -> None:
    for path in ("/api/session", "/api/devices", "/api/sync/pull?account=" + str(uuid.uuid4())):
        assert_problem(httpx.get(service.url + path), 401, "sign-in-needed")


def test_a_cookie_nobody_was_given_is_an_expired_session(service: Running) -> None:
    for token in ("x", "0" * 43, "é" * 10):
        answer = httpx.get(f"{service.url}/api/session", headers={b"Cookie": f"{COOKIE}={token}".encode()})
        assert_problem(answer, 401, "session-expired")


def test_devices_are_listed_with_the_one_that_asks_marked(person: Person) -> None:
    with person.another_device() as other:
        devices = other.http.get("/api/devices").json()["devices"]
    assert {device["id"] for device in devices} == {person.device, other.device}
    assert [device["id"] for device in devices if device["current"]] == [other.device]
    for device in devices:
        assert device.keys() == {"id", "name", "created_at", "last_seen_at", "current"}
        assert device["created_at"].endswith("Z")


def test_a_revoked_device_is_told_to_wipe_and_is_off_the_list(person: Person) -> None:
    with person.another_device() as other:
        assert person.http.delete(f"/api/devices/{other.device}").status_code == 204
        assert_problem(other.http.get("/api/session"), 401, "device-revoked")
        assert_problem(other.send([other.mutation("card.bin")]), 401, "device-revoked")
        assert len(person.http.get("/api/devices").json()["devices"]) == 1
        again = person.http.delete(f"/api/devices/{other.device}")
    assert_problem(again, 404, "not-found")


def test_an_expired_session_keeps_its_data_and_signs_in_again(options: ServiceOptions) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        card_id = person.keep()
        Rows(options).sql("UPDATE device SET expires_ms = 1")
        for answer in (person.http.get("/api/session"), person.http.get("/api/devices"), person.send([])):
            assert_problem(answer, 401, "session-expired")
        with person.another_device() as again:
            assert list(again.cards()) == [card_id]


def test_a_visit_after_a_day_renews_the_session_and_its_cookie(options: ServiceOptions) -> None:
    rows = Rows(options)
    with running(options) as own, Person.signed_up(own.url) as person:
        rows.sql("UPDATE device SET seen_ms = seen_ms - 90000000, expires_ms = expires_ms - 90000000")
        before = rows.sql("SELECT seen_ms, expires_ms FROM device")[0]
        answer = person.http.get("/api/sync/pull", params={"account": person.account})
        after = rows.sql("SELECT seen_ms, expires_ms FROM device")[0]
    assert answer.cookies[COOKIE]
    assert all(new > old for new, old in zip(after, before, strict=True))


# What a stranger may learn and take


def test_a_taken_address_is_told_whatever_its_spelling(service: Running) -> None:
    name = uuid.uuid4().hex
    assert sign_up(service.url, credentials(f"Straße.{name}@Example.org")).status_code == 201
    for spelling in (f"Straße.{name}@Example.org", f"  straße.{name}@example.ORG "):
        assert_problem(sign_up(service.url, credentials(spelling)), 409, "address-taken")
    for other in (f"STRASSE.{name}@EXAMPLE.ORG", f"ｓtraße.{name}@example.org"):
        assert sign_up(service.url, credentials(other)).status_code == 201


def test_an_address_signs_in_however_its_letters_are_composed(service: Running) -> None:
    name = uuid.uuid4().hex
    assert sign_up(service.url, credentials(f"юлий.{name}@example.org")).status_code == 201
    decomposed = unicodedata.normalize("NFD", f"Юлий.{name}@example.org")
    assert sign_in(service.url, credentials(decomposed)).status_code == 200


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(service: Running, person: Person) -> None:
    known = sign_in(service.url, credentials(person.email, password="not the password"))
    unknown = sign_in(service.url, credentials(address(), password="not the password"))
    assert_problem(known, 401, "wrong-credentials")
    assert masked(known) == masked(unknown)


def test_signing_in_never_takes_over_the_cookie_that_was_there(service: Running, person: Person) -> None:
    planted = "attackers-own-value-attackers-own-value-0000"
    with with_cookie(service.url, planted) as browser:
        given = browser.post("/api/session", json=credentials(person.email)).cookies[COOKIE]
        assert given != planted
    with with_cookie(service.url, planted) as attacker:
        assert_problem(attacker.get("/api/session"), 401, "session-expired")


def test_a_second_sign_in_in_one_browser_gets_a_cookie_of_its_own(service: Running, person: Person) -> None:
    first = person.http.cookies[COOKIE]
    other = address()
    sign_up(service.url, credentials(other))
    second = person.http.post("/api/session", json=credentials(other)).cookies[COOKIE]
    assert first != second
    with with_cookie(service.url, first) as browser:
        assert browser.get("/api/session").json()["account"]["id"] == person.account


def test_sign_ups_with_one_address_at_once_make_exactly_one_account(service: Running) -> None:
    email = address()
    bodies = [credentials(email, password=f"password number {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: sign_up(service.url, body), bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    welcome = [sign_in(service.url, body).status_code for body in bodies]
    assert [status == 200 for status in welcome] == [answer.status_code == 201 for answer in answers]


def test_a_password_reaches_neither_log_nor_store(
    options: ServiceOptions, profile: str, request: pytest.FixtureRequest
) -> None:
    secret = f"secret-{uuid.uuid4().hex}"
    with running(options) as own:
        email = address()
        sign_up(own.url, credentials(email, password=secret))
        sign_in(own.url, credentials(email, password=secret))
        sign_in(own.url, credentials(email, password=secret + "!"))
        sign_up(own.url, credentials("no address", password=secret))
        sign_up(own.url, credentials(email, password=secret, more=secret))
        httpx.post(f"{own.url}/api/session", content=f'{{"password":"{secret}"', headers={"Content-Type": "text/plain"})
        httpx.get(f"{own.url}/api/session", params={"password": "in the address is the caller's own doing"})
        Rows(options).sql("UPDATE account SET created_ms = created_ms")
        own.stop()
    places = [options.data]
    if profile == "grown":
        server = request.getfixturevalue("postgres_server")
        server.sql("CHECKPOINT")
        places.append(server.data)
    assert [path for place in places for path in holding(place, secret)] == []
    assert [path for place in places for path in holding(place, email)]


def holding(folder: Path, text: str) -> Iterator[Path]:
    """The files below a folder that contain the text."""
    for path in folder.rglob("*"):
        if path.is_file() and text.encode() in path.read_bytes():
            yield path


# How often


def refused(call: Callable[[], None]) -> bool:
    try:
        call()
    except TooManyRequests:
        return True
    return False


def test_who_guesses_from_elsewhere_does_not_lock_the_owner_out() -> None:
    limits = SignInLimits()
    guesses = [refused(lambda: limits.sign_in("192.0.2.66", "anna@example.org")) for _ in range(50)]
    assert guesses == [False] * 10 + [True] * 40
    assert not refused(lambda: limits.sign_in("192.0.2.1", "anna@example.org"))


def test_a_household_on_one_ipv6_network_is_one_guesser_whatever_the_spelling_of_the_address() -> None:
    limits = SignInLimits()
    spellings = ("anna@example.org", " ANNA@example.org")
    for number in range(10):
        limits.sign_in(f"2001:db8:1:2::{number:x}", spellings[number % 2])
    assert refused(lambda: limits.sign_in("2001:db8:1:2:ffff::1", "Anna@Example.org"))
    assert not refused(lambda: limits.sign_in("2001:db8:1:3::1", "anna@example.org"))


def test_a_guesser_with_many_networks_is_stopped_at_a_hundred_tries_an_hour() -> None:
    limits = SignInLimits()
    tries = [refused(partial(limits.sign_in, f"192.0.2.{n % 25}", "anna@example.org")) for n in range(120)]
    assert tries == [False] * 100 + [True] * 20
    assert not refused(lambda: limits.sign_in("192.0.2.1", "boris@example.org"))


def test_one_network_may_not_try_many_addresses() -> None:
    limits = SignInLimits()
    tries = [refused(partial(limits.sign_in, "192.0.2.1", f"{n}@example.org")) for n in range(80)]
    assert tries == [False] * 60 + [True] * 20


def test_too_many_tries_are_answered_429_with_the_seconds_to_wait_even_for_the_right_password(tmp_path: Path) -> None:
    options = ServiceOptions(tmp_path, arguments=("--trusted-proxy", "127.0.0.1"))
    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    with running(options) as own:
        email = address()
        sign_up(own.url, credentials(email))
        wrong = [sign_in(own.url, credentials(email, password="guess number one")) for _ in range(11)]
        right = sign_in(own.url, credentials(email))
        assert [answer.status_code for answer in wrong] == [401] * 10 + [429]
        for answer in (wrong[-1], right):
            assert_problem(answer, 429, "too-many-requests")
            assert 1 <= int(answer.headers["retry-after"]) <= 900
        assert sign_in(own.url, credentials(email), elsewhere).status_code == 200


def test_too_many_sign_ups_from_one_network_are_answered_429(tmp_path: Path) -> None:
    options = ServiceOptions(tmp_path, arguments=("--trusted-proxy", "127.0.0.1"))
    with running(options) as own:
        taken = credentials()
        answers = [sign_up(own.url, taken) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [201] + [409] * 19 + [429]
        assert int(answers[-1].headers["retry-after"]) <= 3_600
        assert sign_up(own.url, credentials(), {"X-Forwarded-For": "198.51.100.7"}).status_code == 201


def test_without_a_trusted_proxy_a_forwarded_address_is_not_believed(tmp_path: Path) -> None:
    with running(ServiceOptions(tmp_path, arguments=())) as own:
        taken = credentials()
        answers = [sign_up(own.url, taken, {"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(21)]
    assert answers[-1].status_code == 429


# Cookies, origins, headers


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    """The cookie's name and its attributes, values of `Path` and flags only."""
    name, _, rest = answer.headers["set-cookie"].partition("=")
    return name, {part.strip() for part in rest.split(";")[1:] if "Age" not in part and "expires" not in part}


def test_a_cookie_stays_out_of_reach_of_scripts_and_other_sites(service: Running) -> None:
    assert cookie_of(sign_up(service.url, credentials())) == (COOKIE, {"HttpOnly", "Path=/", "SameSite=lax"})


@pytest.fixture
def over_https(tmp_path: Path) -> Iterator[tuple[Running, str]]:
    """A service behind a reverse proxy that speaks https, and where it listens."""
    [port] = free_ports(1)
    options = ServiceOptions(tmp_path).plus("--public-url", "https://karman.example", "--trusted-proxy", "127.0.0.1")
    with running(options, port) as own:
        yield own, f"http://127.0.0.1:{port}"


def test_over_https_the_cookie_is_bound_to_the_host_and_the_site_asks_for_https_only(
    over_https: tuple[Running, str],
) -> None:
    own, url = over_https
    assert own.url == "https://karman.example"
    answer = sign_up(url, credentials(), {"Origin": "https://karman.example"})
    name, flags = cookie_of(answer)
    assert (name, flags) == ("__Host-karman", {"HttpOnly", "Path=/", "SameSite=lax", "Secure"})
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    token = answer.headers["set-cookie"].partition(";")[0]
    assert httpx.get(f"{url}/api/session", headers={"Cookie": token}).status_code == 200
    plain = token.replace("__Host-karman", "karman")
    assert_problem(httpx.get(f"{url}/api/session", headers={"Cookie": plain}), 401, "sign-in-needed")
    gone = httpx.delete(f"{url}/api/session", headers={"Cookie": token})
    assert cookie_of(gone)[0] == "__Host-karman"
    assert "Secure" in cookie_of(gone)[1]


def test_behind_a_proxy_only_the_public_address_is_the_own_origin(over_https: tuple[Running, str]) -> None:
    _, url = over_https
    assert_problem(sign_up(url, credentials(), {"Origin": url}), 403, "cross-origin")
    assert sign_up(url, credentials(), {"Origin": "https://karman.example:443"}).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:99999999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    ],
)
def test_a_write_from_another_origin_is_refused_and_changes_nothing(
    person: Person, service: Running, headers: dict[str, str]
) -> None:
    sent = {name: value.format(own=service.url) for name, value in headers.items()}
    with person.another_device() as other:
        path = f"/api/devices/{other.device}"
        assert_problem(person.http.delete(path, headers=sent), 403, "cross-origin")
        assert_problem(sign_up(service.url, credentials(), sent), 403, "cross-origin")
        assert_problem(person.http.delete("/api/session", headers=sent), 403, "cross-origin")
        assert other.http.get("/api/session", headers=sent).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_write_from_the_own_pages_passes(service: Running, site: str) -> None:
    assert sign_up(service.url, credentials(), {"Origin": service.url, "Sec-Fetch-Site": site}).status_code == 201


def test_every_answer_has_a_request_id_of_its_own_and_the_content_policy(service: Running, person: Person) -> None:
    answers = [
        person.http.get("/api/health"),
        person.http.get("/api/session"),
        person.http.get("/api/nowhere"),
        person.http.get("/nowhere/at/all"),
        person.http.get("/missing.js"),
        person.http.patch("/api/session"),
        person.http.post("/api/session", content=b"{", headers={"Content-Type": "application/json"}),
        person.http.post("/api/session", headers={"Origin": "https://evil.example"}),
        person.http.get("/api/merchants", params={"q": "маг"}),
        httpx.get(f"{service.url}/api/devices"),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-inline" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"]


def test_what_is_about_a_person_is_stored_by_no_cache(person: Person) -> None:
    for path in ("/api/session", "/api/devices", f"/api/sync/pull?account={person.account}"):
        assert person.http.get(path).headers["cache-control"] == "no-store"


# Bodies that cannot be


@pytest.mark.parametrize("path", ["/api/accounts", "/api/session"])
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"email": "nobody"}, ["/email"]),
        ({"email": "a@b"}, ["/email"]),
        ({"email": "a b@example.org"}, ["/email"]),
        ({"email": "a@b@example.org"}, ["/email"]),
        ({"email": "a\u0000@example.org"}, ["/email"]),
        ({"email": "x" * 250 + "@example.org"}, ["/email"]),
        ({"email": "\ufb2c" * 200 + "@example.org"}, ["/email"]),
        ({"password": "short"}, ["/password"]),
        ({"password": "p" * 257}, ["/password"]),
        ({"device": ""}, ["/device"]),
        ({"device": "  "}, ["/device"]),
        ({"device": "d" * 81}, ["/device"]),
        ({"device": "a\nb"}, ["/device"]),
        ({"email": "nobody", "password": "short", "device": ""}, ["/email", "/password", "/device"]),
        ({"email": 5}, ["/email"]),
        ({"password": None}, ["/password"]),
        ({"device": ["phone"]}, ["/device"]),
        ({"admin": True}, ["/admin"]),
    ],
)
def test_every_field_that_cannot_be_kept_is_named(
    service: Running, path: str, changed: dict[str, Any], named: list[str]
) -> None:
    body = assert_problem(httpx.post(service.url + path, json=credentials(**changed)), 422, "invalid")
    assert pointers(body) == named


@pytest.mark.parametrize("missing", ["email", "password", "device"])
def test_a_missing_field_is_named(service: Running, missing: str) -> None:
    sent = credentials()
    del sent[missing]
    assert pointers(assert_problem(sign_up(service.url, sent), 422, "invalid")) == [f"/{missing}"]
