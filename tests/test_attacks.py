"""What somebody may try who wants into another person's account, or to learn whether there is one."""

import re
from collections.abc import Callable

import httpx
import pytest

from tests.answers import assert_problem, masked
from tests.mailbox import link
from tests.service import PASSWORD, uuid7
from tests.stores import Rows
from tests.town import NEW, Member, Town, come_by, credentials, new_address, new_subject, until, who

COOKIE = "karman"
PLANTED = "attackers-own-value-attackers-own-value-0000"


@pytest.fixture(autouse=True)
def on_one_store(profile: str) -> None:
    """What is asked here is the same on both stores."""
    if profile == "grown":
        pytest.skip("the same on both stores")


@pytest.fixture
def member(town: Town) -> Member:
    """Somebody with a password and a verified address."""
    return town.joined()


def unverified(town: Town) -> Member:
    """Somebody whose account is of a time before there was mail: whose address it is, nobody knows."""
    found = town.joined()
    Rows(town.options).sql(f"UPDATE account SET verified_ms = NULL WHERE id = '{found.account}' RETURNING id")
    return found


def alike(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """All of an answer but what differs between any two: the value of a cookie, too, not its name and attributes."""
    status, headers, body = masked(answer)
    return status, {name: re.sub(r"=[\w-]{40,}", "=·", value) for name, value in headers.items()}, body


# An address that somebody else took first


def test_an_account_somebody_made_with_my_address_is_not_joined_when_i_come_through_a_provider(town: Town) -> None:
    attacker = unverified(town)
    with town.browser() as victim:
        mine = town.came_back(victim, f"true.{attacker.email}")
        assert mine.status_code == 200
        assert mine.json()["account"]["id"] != attacker.account
        assert mine.json()["account"]["email"] is None
        assert who(attacker.http) == attacker.account
    with town.browser() as again:
        answer = again.post("/api/session", json=credentials(attacker.email))
        assert answer.json()["account"]["id"] == attacker.account
    assert attacker.ways()["identities"] == []


def test_a_sign_up_of_mine_that_somebody_else_began_lets_nobody_in(town: Town) -> None:
    address = new_address()
    with town.browser() as attacker, town.browser() as victim:
        attacker.post("/api/accounts", json=credentials(address, "what the attacker knows"))
        token = link(town.box.next(address))[1]
        body = {"token": token, "device": "телефон"}
        assert_problem(victim.post("/api/accounts/confirm", json=body), 403, "password-needed")
        mine = victim.post("/api/accounts/confirm", json={**body, "password": PASSWORD})
        assert_problem(mine, 403, "wrong-password")
        own = town.came_back(victim, f"true.{address}").json()["account"]
        assert own["email"] == address
        assert_problem(victim.post("/api/accounts/confirm", json={**body, "password": PASSWORD}), 403, "wrong-password")
        known = {**body, "password": "what the attacker knows"}
        assert_problem(attacker.post("/api/accounts/confirm", json=known), 409, "address-taken")
        wrong = attacker.post("/api/session", json=credentials(address, "what the attacker knows"))
        assert_problem(wrong, 401, "wrong-credentials")


def test_an_unverified_address_gets_no_link_for_a_new_password(town: Town, member: Member) -> None:
    attacker = unverified(town)
    for address in (attacker.email, new_address(), member.email):
        answer = member.http.post("/api/password-reset", json={"email": address})
        assert (answer.status_code, answer.json()) == (202, {"mailed": True})
    assert link(town.box.next(member.email, 2))[0] == "/reset"
    assert len(town.box.of(attacker.email)) == 1
    assert Rows(town.options).count("mail_token", f"account_id = '{attacker.account}'") == 0


def test_a_link_goes_to_the_address_of_the_account_and_never_to_one_that_looks_like_it(town: Town) -> None:
    name = uuid7()
    member = town.joined(f"{name}@strasse.example.org")
    lookalikes = [f"{name}@straße.example.org", f"{name}@ｓtrasse.example.org", f"{name}@ſtrasse.example.org"]
    for address in (*lookalikes, member.email.upper()):
        assert member.http.post("/api/password-reset", json={"email": address}).status_code == 202
    assert link(town.box.next(member.email, 2))[0] == "/reset"
    assert [mail["To"] for mail in town.box.mails if name in str(mail["To"])] == [member.email] * 2


def test_a_mail_that_cannot_be_written_keeps_nobody_elses_back(town: Town) -> None:
    with town.browser() as browser:
        assert browser.post("/api/accounts", json=credentials("a@[x.y")).status_code == 202
        for address in ("a@x..y", "<@x.y", "a@.x.y", "a@x."):
            answer = browser.post("/api/accounts", json=credentials(address))
            assert answer.status_code in {202, 422}
    for _ in range(2):
        town.joined()
    until(lambda: Rows(town.options).count("mail") == 0)


def test_opening_a_strangers_link_vouches_for_nothing(town: Town, member: Member) -> None:
    attacker = unverified(town)
    assert attacker.http.post("/api/account/verification").status_code == 202
    path, token = link(town.box.next(attacker.email, 2))
    assert path == "/verify"
    assert_problem(member.http.put("/api/account/verification", json={"token": token}), 403, "link-spent")
    with town.browser() as nobody:
        assert_problem(nobody.put("/api/account/verification", json={"token": token}), 401, "sign-in-needed")
        reset = {"token": token, "password": NEW, "device": "x", "end_others": True}
        assert_problem(nobody.put("/api/password-reset", json=reset), 403, "link-spent")
    assert not attacker.ways()["verified"]
    assert attacker.http.put("/api/account/verification", json={"token": token}).status_code == 200


# Cookies


def test_no_way_in_takes_over_a_cookie_that_was_planted(town: Town, member: Member) -> None:
    passkey = member.make_passkey(town.site)
    subject = new_subject()
    [code, *_] = member.http.post("/api/account/codes").json()["codes"]
    member.http.post("/api/password-reset", json={"email": member.email})
    token = link(town.box.next(member.email, 2))[1]
    reset = {"token": token, "password": NEW, "device": "x", "end_others": False}
    ways: list[Callable[[httpx.Client], httpx.Response]] = [
        lambda browser: browser.post("/api/session", json=credentials(member.email)),
        lambda browser: come_by(browser, passkey),
        lambda browser: browser.post("/api/session/code", json={"code": code, "device": "x"}),
        lambda browser: town.came_back(browser, subject),
        lambda browser: browser.put("/api/password-reset", json=reset),
    ]
    given = {member.http.cookies[COOKIE]}
    for way in ways:
        with town.browser() as browser:
            browser.cookies.set(COOKIE, PLANTED, domain="127.0.0.1")
            answer = way(browser)
            assert answer.status_code == 200, answer.text
            given.add(answer.cookies[COOKIE])
    assert len(given) == len(ways) + 1
    assert PLANTED not in given
    planted = httpx.get(f"{town.url}/api/session", headers={"Cookie": f"{COOKIE}={PLANTED}"})
    assert_problem(planted, 401, "session-expired")


def test_a_stolen_cookie_is_worth_nothing_once_its_device_is_signed_out(town: Town, member: Member) -> None:
    stolen = town.another(member)
    device = stolen.http.get("/api/session").json()["device"]["id"]
    asked = stolen.http.post("/api/passkeys/options").json()
    assert member.http.delete(f"/api/devices/{device}").status_code == 204
    account = {"account": member.account}
    calls: list[tuple[str, str, object]] = [
        ("GET", "/api/session", None),
        ("GET", "/api/account/ways", None),
        ("GET", f"/api/sync/pull?account={member.account}", None),
        ("POST", f"/api/sync/push?account={member.account}", {"client": uuid7(), "mutations": []}),
        ("POST", "/api/session/proof", {"password": PASSWORD}),
        ("PUT", "/api/account/password", {"password": NEW, "end_others": True, "old": PASSWORD}),
        ("POST", "/api/account/codes", None),
        ("POST", "/api/passkeys", {"challenge": asked["challenge"], "credential": {}, "name": "x"}),
        ("POST", "/api/providers/city/start", {"purpose": "link", "device": "x"}),
        ("POST", "/api/account/verification", None),
        ("DELETE", "/api/account", {"password": PASSWORD}),
    ]
    for method, path, body in calls:
        assert_problem(stolen.http.request(method, path, json=body), 401, "device-revoked")
    assert member.http.get("/api/sync/pull", params=account).status_code == 200


def test_what_an_attacker_brings_back_from_a_provider_does_not_sign_me_in(town: Town) -> None:
    with town.browser() as attacker, town.browser() as victim:
        start = attacker.post("/api/providers/city/start", json={"purpose": "sign-in", "device": "x"}).json()
        back = {"purpose": "sign-in", **town.provider.signed_in(start["url"], new_subject())}
        victim.post("/api/providers/city/start", json={"purpose": "sign-in", "device": "x"})
        assert_problem(victim.post("/api/providers/back", json=back), 403, "challenge-spent")
        assert_problem(victim.get("/api/session"), 401, "sign-in-needed")


# Who has an account


def test_signing_up_tells_nobody_whether_an_address_is_taken_and_the_mail_tells_its_owner(
    town: Town, member: Member
) -> None:
    without_proof = unverified(town)
    answers = []
    for address in (new_address(), member.email, member.email.upper(), without_proof.email):
        with town.browser() as browser:
            answers.append(alike(browser.post("/api/accounts", json=credentials(address))))
    assert answers[0][0] == 202
    assert all(answer == answers[0] for answer in answers)
    assert link(town.box.next(member.email, 2)) == ("/account", "")
    assert town.box.of(member.email)[1]["Subject"] == "У вас уже есть аккаунт в Кармане"


def test_signing_in_tells_nobody_whether_there_is_an_account(town: Town, member: Member) -> None:
    with town.browser() as browser:
        subject = new_subject()
        assert town.came_back(browser, subject).status_code == 200
        addresses = (new_address(), member.email, unverified(town).email, subject.removeprefix("true."))
        wrong = [browser.post("/api/session", json=credentials(one, "not the password")) for one in addresses]
        assert_problem(wrong[0], 401, "wrong-credentials")
        assert len({repr(alike(answer)) for answer in wrong}) == 1


def test_asking_for_a_new_password_tells_nobody_whether_there_is_an_account(town: Town, member: Member) -> None:
    with town.browser() as browser:
        addresses = (new_address(), member.email, unverified(town).email)
        answers = [alike(browser.post("/api/password-reset", json={"email": one})) for one in addresses]
    assert len({repr(answer) for answer in answers}) == 1


def test_a_question_to_a_passkey_names_nobody(town: Town, member: Member) -> None:
    member.make_passkey(town.site)
    with town.browser() as browser:
        options = browser.post("/api/session/passkey/options").json()["options"]
    assert options.get("allowCredentials", []) == []
    assert options["userVerification"] == "required"
