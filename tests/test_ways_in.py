"""Every way into an account: by mail, by a new password, by passkey, by recovery code, through a provider; and the last
of them stays.
"""

import asyncio
import email
import re
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from aggregator.checkup import look
from aggregator.settings import SettingsWrong, Smtp, read
from tests.answers import assert_problem, pointers
from tests.authenticator import PRESENT, Authenticator
from tests.mailbox import link
from tests.service import PASSWORD, Person, Running, ServiceOptions, running
from tests.stores import Rows
from tests.town import (
    NEW,
    Member,
    Town,
    come_by,
    credentials,
    new_address,
    new_subject,
    question,
    register,
    until,
    who,
)

# What differs between the stores; the rest is asked of one of them.
ON_BOTH = {
    "test_a_sign_up_is_finished_by_the_link_in_the_mail_which_signs_in",
    "test_a_mail_that_is_not_taken_now_is_sent_later_and_holds_nobody_up",
    "test_a_new_password_by_mail_signs_in_and_ends_the_other_sessions_where_that_is_asked",
    "test_a_passkey_is_made_named_used_and_removed",
    "test_ten_recovery_codes_are_shown_once_and_each_lets_in_once",
    "test_signing_in_with_a_provider_makes_an_account_and_finds_it_again",
    "test_at_least_one_way_in_is_always_left",
}


@pytest.fixture
def member(town: Town) -> Member:
    """Somebody with a password and a verified address."""
    return town.joined()


@pytest.fixture(autouse=True)
def on_one_store(request: pytest.FixtureRequest) -> None:
    """Skips on the second store what is the same there."""
    function = request.node.originalname
    if "profile" in request.fixturenames and function not in ON_BOTH and request.getfixturevalue("profile") == "grown":
        pytest.skip("the same on both stores")


# Signing up by mail


def test_a_sign_up_is_finished_by_the_link_in_the_mail_which_signs_in(town: Town) -> None:
    address = new_address()
    with town.browser() as browser:
        asked = browser.post("/api/accounts", json=credentials(address))
        assert (asked.status_code, asked.json()) == (202, {"mailed": True})
        assert_problem(browser.get("/api/session"), 401, "sign-in-needed")
        mail = town.box.next(address)
        path, token = link(mail)
        assert (path, mail["Subject"]) == ("/confirm", "Подтвердите почту для Кармана")
        assert town.site in mail.get_content()
        answer = browser.post("/api/accounts/confirm", json={"token": token, "device": "телефон"})
        assert (answer.status_code, answer.json()["account"]["email"]) == (201, address)
        assert who(browser) == answer.json()["account"]["id"]
        ways = browser.get("/api/account/ways").json()
        assert (ways["verified"], ways["password"]) == (True, True)
        again = browser.post("/api/accounts/confirm", json={"token": token, "device": "телефон"})
        assert_problem(again, 403, "link-spent")


def test_a_link_opened_in_another_browser_asks_for_the_password_of_the_sign_up(town: Town) -> None:
    address = new_address()
    with town.browser() as begun, town.browser() as other:
        begun.post("/api/accounts", json=credentials(address), headers={"Accept-Language": "en-GB"})
        mail = town.box.next(address)
        assert mail["Subject"] == "Confirm your address for Karman"
        body = {"token": link(mail)[1], "device": "ноутбук"}
        assert_problem(other.post("/api/accounts/confirm", json=body), 403, "password-needed")
        wrong = other.post("/api/accounts/confirm", json={**body, "password": "a guess or two"})
        assert_problem(wrong, 403, "wrong-password")
        assert other.post("/api/accounts/confirm", json={**body, "password": PASSWORD}).status_code == 201


def test_a_link_is_good_for_an_hour(town: Town) -> None:
    address = new_address()
    with town.browser() as browser:
        browser.post("/api/accounts", json=credentials(address))
        _, token = link(town.box.next(address))
        Rows(town.options).sql(
            f"UPDATE sign_up SET expires_ms = expires_ms - 3600000 WHERE email = '{address}' RETURNING id"
        )
        answer = browser.post("/api/accounts/confirm", json={"token": token, "device": "телефон"})
        assert_problem(answer, 403, "link-spent")
        assert_problem(browser.post("/api/session", json=credentials(address)), 401, "wrong-credentials")


def test_a_mail_that_is_not_taken_now_is_sent_later_and_holds_nobody_up(town: Town) -> None:
    address = new_address()
    before = town.box.refused
    town.box.refuses = "451 later, please"
    try:
        with town.browser() as browser:
            assert browser.post("/api/accounts", json=credentials(address)).status_code == 202
            until(lambda: town.box.refused > before)
    finally:
        town.box.refuses = ""
    rows = Rows(town.options)

    def is_sent_again() -> bool:
        # Again and again: the service may only now note when it tries next.
        rows.sql(f"UPDATE mail SET due_ms = 0 WHERE email = '{address}' RETURNING id")
        town.joined()
        return bool(town.box.of(address))

    until(is_sent_again)
    assert link(town.box.next(address))[0] == "/confirm"


def test_an_address_that_no_header_can_hold_gets_no_mail_and_costs_nobody_else_theirs(town: Town) -> None:
    with town.browser() as browser:
        assert browser.post("/api/accounts", json=credentials(f"a,b,{new_address()}")).status_code == 202
    town.joined()
    assert Rows(town.options).count("mail") == 0


# A new password by mail


def test_a_new_password_by_mail_signs_in_and_ends_the_other_sessions_where_that_is_asked(town: Town) -> None:
    for end_others, left in ((True, 401), (False, 200)):
        member = town.joined()
        with town.browser() as browser:
            assert browser.post("/api/password-reset", json={"email": f" {member.email.upper()} "}).status_code == 202
            path, token = link(town.box.next(member.email, 2))
            assert path == "/reset"
            body = {"token": token, "password": NEW, "device": "новый телефон", "end_others": end_others}
            answer = browser.put("/api/password-reset", json=body)
            assert (answer.status_code, answer.json()["account"]["id"]) == (200, member.account)
            assert who(browser) == member.account
            assert member.http.get("/api/session").status_code == left
            assert_problem(browser.put("/api/password-reset", json=body), 403, "link-spent")
            assert_problem(browser.post("/api/session", json=credentials(member.email)), 401, "wrong-credentials")
            assert browser.post("/api/session", json=credentials(member.email, NEW)).status_code == 200


def test_of_two_links_for_a_new_password_the_second_dies_with_the_first(town: Town, member: Member) -> None:
    tokens = []
    for count in (2, 3):
        member.http.post("/api/password-reset", json={"email": member.email})
        tokens.append(link(town.box.next(member.email, count))[1])
    rest = {"password": NEW, "device": "телефон", "end_others": False}
    with town.browser() as browser:
        assert browser.put("/api/password-reset", json={"token": tokens[0], **rest}).status_code == 200
        assert_problem(browser.put("/api/password-reset", json={"token": tokens[1], **rest}), 403, "link-spent")


def test_without_a_mail_server_mails_are_files_and_links_in_them_work(tmp_path: Path) -> None:
    options = ServiceOptions(tmp_path / "data")
    with running(options) as own, Person.signed_up(own.url) as person:
        assert person.http.post("/api/password-reset", json={"email": person.email}).status_code == 202
        assert person.http.post("/api/account/verification").status_code == 202
        path, token = link(kept(options, 1)[0])
        assert path == "/verify"
        until(lambda: token in own.logged())
        assert person.http.put("/api/account/verification", json={"token": token}).json() == {"email": person.email}
        assert_problem(person.http.put("/api/account/verification", json={"token": token}), 403, "link-spent")
        assert_problem(person.http.post("/api/account/verification"), 409, "nothing-to-verify")
        person.http.post("/api/password-reset", json={"email": person.email})
        path, token = link(kept(options, 2)[1])
        body = {"token": token, "password": NEW, "device": "телефон", "end_others": False}
        assert person.http.put("/api/password-reset", json=body).status_code == 200


def kept(options: ServiceOptions, count: int) -> list[Any]:
    """The mails in the folder, once there are so many."""
    folder = options.data / "mail"
    until(lambda: len(list(folder.glob("*.eml"))) >= count)
    return [email.message_from_bytes(file.read_bytes(), policy=default) for file in sorted(folder.glob("*.eml"))]


# Passwords


def test_a_password_is_changed_by_who_knows_it_or_has_just_proved_who_they_are(town: Town, member: Member) -> None:
    other = town.another(member)
    town.age(member)
    path = "/api/account/password"
    assert_problem(member.http.put(path, json={"password": NEW, "end_others": False}), 403, "proof-needed")
    wrong = {"password": NEW, "end_others": False, "old": "not the password"}
    assert_problem(member.http.put(path, json=wrong), 403, "wrong-password")
    assert_problem(member.http.put(path, json={**wrong, "password": "short"}), 422, "invalid")
    assert member.http.put(path, json={**wrong, "old": PASSWORD, "end_others": True}).status_code == 204
    assert member.http.get("/api/session").status_code == 200
    assert_problem(other.http.get("/api/session"), 401, "device-revoked")
    assert member.http.post("/api/session/proof", json={"password": NEW}).status_code == 204
    assert member.http.put(path, json={"password": PASSWORD, "end_others": False}).status_code == 204
    with town.browser() as browser:
        assert browser.post("/api/session", json=credentials(member.email)).status_code == 200


def test_without_a_fresh_proof_no_way_in_is_added_or_removed(town: Town, member: Member) -> None:
    passkey = member.make_passkey(town.site)
    [shown] = member.ways()["passkeys"]
    town.age(member)
    calls = [
        ("POST", "/api/passkeys/options", None),
        ("DELETE", f"/api/passkeys/{shown['id']}", None),
        ("POST", "/api/account/codes", None),
        ("DELETE", "/api/account/password", None),
        ("DELETE", "/api/account", {"password": None}),
        ("POST", "/api/providers/city/start", {"purpose": "link", "device": "x"}),
    ]
    for method, path, body in calls:
        assert_problem(member.http.request(method, path, json=body), 403, "proof-needed")
    assert_problem(member.http.post("/api/session/proof", json={"password": "wrong"}), 403, "wrong-password")
    asked = question(member.http)
    proof = {"challenge": asked["challenge"], "credential": passkey.use(asked["options"])}
    assert member.http.post("/api/session/proof/passkey", json=proof).status_code == 204
    assert member.http.post("/api/account/codes").status_code == 201


# Passkeys


def test_a_passkey_is_made_named_used_and_removed(town: Town, member: Member) -> None:
    passkey = member.make_passkey(town.site)
    [shown] = member.ways()["passkeys"]
    assert (shown["name"], shown["used_at"]) == ("Ноутбук", None)
    path = f"/api/passkeys/{shown['id']}"
    assert member.http.put(path, json={"name": " Домашний "}).status_code == 204
    with town.browser() as browser:
        answer = come_by(browser, passkey)
        assert (answer.status_code, answer.json()["account"]["id"]) == (200, member.account)
        assert who(browser) == member.account
    [shown] = member.ways()["passkeys"]
    assert shown["name"] == "Домашний"
    assert shown["used_at"]
    assert member.http.delete(path).status_code == 204
    assert_problem(member.http.delete(path), 404, "not-found")
    with town.browser() as browser:
        assert_problem(come_by(browser, passkey), 401, "passkey-unknown")


def test_an_answer_to_a_question_counts_once_and_for_nobody_elses_question(town: Town, member: Member) -> None:
    passkey = member.make_passkey(town.site)
    with town.browser() as browser:
        first, second = question(browser), question(browser)
        credential = passkey.use(first["options"])
        crossed = {"challenge": second["challenge"], "credential": credential, "device": "x"}
        assert_problem(browser.post("/api/session/passkey", json=crossed), 403, "passkey-refused")
        right = {"challenge": first["challenge"], "credential": credential, "device": "x"}
        assert browser.post("/api/session/passkey", json=right).status_code == 200
        assert_problem(browser.post("/api/session/passkey", json=right), 403, "challenge-spent")
    stranger = town.joined()
    asked = stranger.http.post("/api/passkeys/options").json()
    made = {"challenge": asked["challenge"], "credential": Authenticator(town.site).make(asked["options"]), "name": "x"}
    assert_problem(member.http.post("/api/passkeys", json=made), 403, "challenge-spent")
    assert_problem(register(stranger.http, passkey), 409, "passkey-known")


def test_a_passkey_of_another_site_without_the_person_or_of_nonsense_is_refused(town: Town, member: Member) -> None:
    passkey = member.make_passkey(town.site)
    for wrong in (Authenticator("https://evil.example"), Authenticator(town.site, flags=PRESENT)):
        assert_problem(register(member.http, wrong), 403, "passkey-refused")
    for credential in ({}, {"rawId": 5}, {"rawId": "é"}, {"id": "AA", "rawId": "AA", "response": {}}):
        assert_problem(register(member.http, passkey, credential=credential), 403, "passkey-refused")
    passkey.origin = "https://evil.example"
    with town.browser() as browser:
        assert_problem(come_by(browser, passkey), 403, "passkey-refused")
        passkey.origin, passkey.flags = town.site, PRESENT
        assert_problem(come_by(browser, passkey), 403, "passkey-refused")
        assert_problem(come_by(browser, Authenticator(town.site)), 401, "passkey-unknown")
        assert_problem(browser.get("/api/session"), 401, "sign-in-needed")


# Recovery codes


def test_ten_recovery_codes_are_shown_once_and_each_lets_in_once(town: Town, member: Member) -> None:
    old = member.http.post("/api/account/codes").json()["codes"]
    codes = member.http.post("/api/account/codes").json()["codes"]
    assert len({*old, *codes}) == 20
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert member.ways()["codes"] == 10
    with town.browser() as browser:
        typed = codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")
        answer = browser.post("/api/session/code", json={"code": typed, "device": "x"})
        assert (answer.status_code, answer.json()["account"]["id"]) == (200, member.account)
        for code in (codes[0], old[0], "", "x" * 5_000):
            spent = browser.post("/api/session/code", json={"code": code, "device": "x"})
            assert_problem(spent, 401, "wrong-code")
    assert member.ways()["codes"] == 9
    assert not any(
        code.replace("-", "") in repr(Rows(town.options).sql("SELECT * FROM recovery_code")) for code in codes
    )


# Providers


def test_signing_in_with_a_provider_makes_an_account_and_finds_it_again(town: Town) -> None:
    subject = new_subject()
    with town.browser() as first, town.browser() as second:
        answer = town.came_back(first, subject)
        assert answer.status_code == 200, answer.text
        account = answer.json()["account"]
        assert account["email"] == subject.removeprefix("true.")
        assert town.came_back(second, subject).json()["account"] == account
        ways = first.get("/api/account/ways").json()
        assert (ways["password"], ways["verified"]) == (False, True)
        [shown] = ways["identities"]
        assert (shown["provider"], shown["label"]) == ("city", account["email"])
        offered = second.get("/api/ways-in").json()
        assert offered == {"providers": [{"id": "city", "name": "Город"}], "mail": True}


def test_an_address_that_the_provider_has_not_verified_is_not_taken(town: Town) -> None:
    with town.browser() as browser:
        answer = town.came_back(browser, new_address())
        assert (answer.status_code, answer.json()["account"]["email"]) == (200, None)
        path = "/api/account/password"
        assert_problem(browser.put(path, json={"password": NEW, "end_others": False}), 409, "address-needed")


def test_a_provider_is_linked_by_who_is_signed_in_and_then_leads_there(town: Town, member: Member) -> None:
    subject = new_subject()
    assert town.came_back(member.http, subject, "link").status_code == 204
    assert town.came_back(member.http, subject, "link").status_code == 204
    assert [one["provider"] for one in member.ways()["identities"]] == ["city"]
    with town.browser() as browser:
        assert town.came_back(browser, subject).json()["account"]["id"] == member.account
    town.age(member)
    assert_problem(town.came_back(member.http, new_subject(), "prove"), 403, "proof-refused")
    assert town.came_back(member.http, subject, "prove").status_code == 204
    assert member.http.post("/api/account/codes").status_code == 201
    stranger = town.joined()
    assert_problem(town.came_back(stranger.http, subject, "link"), 409, "identity-taken")


def test_what_comes_back_from_a_provider_counts_once_in_the_browser_that_went(town: Town) -> None:
    with town.browser() as browser, town.browser() as attacker:
        start = browser.post("/api/providers/city/start", json={"purpose": "sign-in", "device": "x"}).json()
        back = {"purpose": "sign-in", **town.provider.signed_in(start["url"], new_subject())}
        for changed in ({"state": "x"}, {"purpose": "link"}):
            refused = browser.post("/api/providers/back", json={**back, **changed})
            assert refused.status_code in {401, 403}, refused.text
        assert_problem(attacker.post("/api/providers/back", json=back), 403, "challenge-spent")
        assert_problem(browser.post("/api/providers/back", json=back), 403, "challenge-spent")
        for changed in ({"code": "x"}, {"iss": "https://other.example"}, {"iss": None}):
            assert_problem(town.came_back(browser, new_subject(), **changed), 403, "provider-refused")
        assert_problem(browser.get("/api/session"), 401, "sign-in-needed")
        nowhere = browser.post("/api/providers/nowhere/start", json={"purpose": "sign-in", "device": "x"})
        assert_problem(nowhere, 404, "not-found")
        odd = browser.post("/api/providers/city/start", json={"purpose": "own", "device": "x"})
        assert pointers(assert_problem(odd, 422, "invalid")) == ["/purpose"]


# The last one


def test_at_least_one_way_in_is_always_left(town: Town, member: Member) -> None:
    http = member.http
    member.http.post("/api/account/codes")
    assert_problem(http.delete("/api/account/password"), 409, "last-way-in")
    member.make_passkey(town.site)
    assert town.came_back(http, new_subject(), "link").status_code == 204
    assert http.delete("/api/account/password").status_code == 204
    [passkey], [identity] = member.ways()["passkeys"], member.ways()["identities"]
    assert http.delete(f"/api/passkeys/{passkey['id']}").status_code == 204
    assert_problem(http.delete(f"/api/account/identities/{identity['id']}"), 409, "last-way-in")
    assert http.put("/api/account/password", json={"password": NEW, "end_others": False}).status_code == 204
    assert http.delete(f"/api/account/identities/{identity['id']}").status_code == 204
    assert_problem(http.delete("/api/account/password"), 409, "last-way-in")
    ways = member.ways()
    assert (ways["password"], ways["passkeys"], ways["identities"]) == (True, [], [])


def test_somebody_without_a_password_may_delete_the_account_after_a_proof(town: Town) -> None:
    with town.browser() as browser:
        subject = new_subject()
        account = town.came_back(browser, subject).json()["account"]["id"]
        assert browser.request("DELETE", "/api/account", json={"password": None}).status_code == 204
        assert town.came_back(browser, subject).json()["account"]["id"] != account


# What the operator sets


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smtp": "mail.example"}, "--smtp needs an address"),
        ({"smtp": "smtp://mail.example?tls=perhaps"}, "--smtp needs an address"),
        ({"smtp": "smtp://mail.example"}, "--mail-from"),
        ({"smtp": "smtp://u:p@mail.example?tls=none", "mail_from": "a@b.example"}, "no password without TLS"),
        ({"providers": "{}"}, "--providers is not the JSON"),
        ({"providers": '[{"id":"A b","name":"A","issuer":"https://a.example","client_id":"c"}]'}, "letters a-z"),
        ({"providers": '[{"id":"a","name":"A","issuer":"a.example","client_id":"c"}]'}, "issuer"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_in_one_line(options: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsWrong, match=words):
        read(options, {})


def test_mail_settings_are_read_whole() -> None:
    found = read({"smtp": "smtp://me%40b.example:p%2Fw@mail.example", "mail_from": "К <k@b.example>"}, {}).mail_server
    assert found == Smtp("mail.example", 587, "me@b.example", "p/w", "starttls")
    assert read({"smtp": "smtps://mail.example", "mail_from": "k@b.example"}, {}).mail_server == Smtp(
        "mail.example", 465, "", "", "implicit"
    )


def test_the_check_asks_the_mail_server_and_every_provider(town: Town, tmp_path: Path) -> None:
    found = asyncio.run(look(read({**chosen(town), "data": str(tmp_path)}, {})))
    parts = {one.part: one.works for one in found}
    assert (parts["mail"], parts["signing in with Город"]) == (True, True)
    dead = {**chosen(town), "data": str(tmp_path), "private_hosts": "", "smtp": "smtp://127.0.0.1:1?tls=none"}
    lines = [str(one) for one in asyncio.run(look(read(dead, {}))) if one.part in {"mail", "signing in with Город"}]
    assert all(line.startswith("FAILS") for line in lines)
    assert len(lines) == 2
    assert "--private-hosts" in lines[1]


def chosen(town: Town) -> dict[str, str]:
    """The settings of the town's service."""
    words = [*town.box.arguments, *town.provider.arguments]
    return {name[2:].replace("-", "_"): value for name, value in zip(words[::2], words[1::2], strict=True)}


def test_a_shared_service_offers_nothing_that_was_not_set(service: Running) -> None:
    assert httpx.get(f"{service.url}/api/ways-in").json() == {"providers": [], "mail": False}
