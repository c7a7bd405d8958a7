"""Getting in as people do it in a browser: by the link in a mail, by passkey, by a new password, through a provider."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from tests.browser import Phone, built_web, chromium, phone
from tests.mailbox import link
from tests.service import PASSWORD
from tests.town import NEW, Town, new_address, new_subject

# The browser's own authenticator, without a person: it answers by itself whatever asks.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}
NOT_BY_ITSELF = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"


@pytest.fixture(scope="module")
def browser(profile: str) -> Iterator[Browser]:
    """One browser for all stories; they say nothing of the stores, so one profile will do."""
    if profile == "grown":
        pytest.skip("the page does not know where rows are")
    built_web()
    with chromium() as found:
        yield found


def passkeys_of(it: Phone) -> CDPSession:
    """A phone that has a finger, a face or a PIN to ask for."""
    devtools = it.context.new_cdp_session(it.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return devtools


def type_in(it: Phone, **fields: Any) -> None:
    for name, value in fields.items():
        it.id(name).fill(value)


def test_a_person_signs_up_by_mail_and_comes_back_by_passkey_new_password_and_recovery_code(
    browser: Browser, town: Town
) -> None:
    address = new_address()
    with phone(browser, town.site, "/account", installs=False) as it:
        it.context.add_init_script(NOT_BY_ITSELF)
        passkeys_of(it)
        sign_up(it, town, address)
        card = it.add_by_typing("Пятёрочка", "7789001122334455")
        it.synced()
        codes = add_ways(it)

        it.sign_out()
        it.id("passkey").click()
        expect(it.id("sign-out")).to_be_visible()
        it.at(f"/c/{card}")
        expect(it.page.get_by_role("heading", name="Пятёрочка")).to_be_visible()

        it.sign_out()
        take_new_password(it, town, address)
        expect(it.id("sign-out")).to_be_visible()

        it.sign_out()
        it.id("forgot").click()
        type_in(it, code=codes[0])
        it.id("use-code").click()
        expect(it.id("add-passkey")).to_be_visible()


def sign_up(it: Phone, town: Town, address: str) -> None:
    it.at("/account")
    type_in(it, email=address, password=PASSWORD)
    it.id("sign-up").click()
    expect(it.id("mailed")).to_contain_text(address)
    it.at("#".join(link(town.box.next(address))))
    expect(it.id("sign-out")).to_be_visible()
    assert it.page.evaluate("location.hash") == ""


def add_ways(it: Phone) -> list[str]:
    """A passkey and recovery codes."""
    it.at("/ways")
    it.id("add-passkey").click()
    expect(it.id("passkey-row")).to_be_visible()
    it.id("new-codes").click()
    expect(it.id("codes").locator("li")).to_have_count(10)
    codes = it.id("codes").locator("li").all_text_contents()
    it.id("codes-done").click()
    return codes


def take_new_password(it: Phone, town: Town, address: str) -> None:
    it.id("forgot").click()
    type_in(it, email=address)
    it.id("ask-reset").click()
    expect(it.id("mailed")).to_be_visible()
    it.at("#".join(link(town.box.next(address, 2))))
    type_in(it, fresh=NEW)
    expect(it.id("end-others")).to_be_checked()
    it.id("reset").click()


def test_a_person_comes_through_a_provider_and_proves_who_they_are_before_the_last_change(
    browser: Browser, town: Town
) -> None:
    member = town.joined()
    subject = new_subject()
    with phone(browser, town.site, "/account", installs=False) as it:
        it.id("sign-mode").click()
        type_in(it, email=member.email, password=PASSWORD)
        it.id("sign-in").click()
        expect(it.id("sign-out")).to_be_visible()
        town.age(member)
        it.watch.expected.add(403)
        it.at("/ways")
        it.id("link-city").click()
        type_in(it, proof=PASSWORD)
        it.id("prove").click()
        at_the_provider(it, subject)
        expect(it.id("identity")).to_be_visible()
        it.sign_out()
        # The provider still knows who this is, and asks for nothing.
        it.id("provider-city").click()
        expect(it.id("sign-out")).to_be_visible()
        expect(it.page.get_by_text(member.email)).to_be_visible()
        # What is wrong with the provider's own pages is not ours.
        it.watch.faults = [fault for fault in it.watch.faults if town.site in fault]


def at_the_provider(it: Phone, subject: str) -> None:
    """Sign in there for the first time, and agree."""
    it.page.locator('input[name="login"]').fill(subject)
    it.page.locator('input[name="password"]').fill("any")
    it.page.locator('button[type="submit"]').click()
    expect(it.page.locator('input[name="login"]')).to_have_count(0)
    it.page.locator('button[type="submit"]').click()
