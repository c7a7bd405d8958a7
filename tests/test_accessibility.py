"""Every screen for everybody: axe-core finds nothing in light or dark, letters of double size lose nothing, the
keyboard does all, and a thumb meets what it aims at.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import REPOSITORY, Phone, chromium, phone
from tests.loyalty import club
from tests.screens import CLUB, NEW, SCENES, Scene, Wallets, fill, store_of
from tests.service import Person, Running

AXE = (REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text()
# axe-core's own list of rules for WCAG 2.2 AA and its best practices.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST_TARGET = 48
NARROW = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def wallets(site: Running) -> Iterator[Wallets]:
    with ExitStack() as stack:
        people = [stack.enter_context(Person.signed_up(site.url)) for _ in range(4)]
        yield fill(*people, store_of(site), stack.enter_context(club(site, CLUB)))


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: Running, wallets: Wallets) -> Iterator[dict[str, Phone]]:
    """The phones of those who have an account."""
    with ExitStack() as stack:
        owned = {who: stack.enter_context(phone(browser, site.url)) for who in wallets.by_name()}
        for who, person in wallets.by_name().items():
            owned[who].sign_in(person.email)
            owned[who].synced()
        yield owned


@pytest.fixture
def shown(
    request: pytest.FixtureRequest, browser: Browser, site: Running, wallets: Wallets, signed_in: dict[str, Phone]
) -> Iterator[Phone]:
    """A phone that shows a scene."""
    scene: Scene = request.param
    if scene.who != "guest":
        yield from _showing(scene, signed_in[scene.who], wallets)
        return
    with phone(browser, site.url, installs=False) as guest:
        yield from _showing(scene, guest, wallets)


def _showing(scene: Scene, found: Phone, wallets: Wallets) -> Iterator[Phone]:
    found.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    scene.show(found, wallets)
    yield found
    scene.after(found)


@pytest.mark.parametrize("shown", SCENES, indirect=True, ids=[scene.name for scene in SCENES])
def test_everybody_can_use_every_screen(shown: Phone) -> None:
    assert violations(shown.page) == []
    shown.page.emulate_media(color_scheme="dark")
    assert violations(shown.page, ["color-contrast"]) == [], "in the dark"
    assert too_small(shown.page) == []
    assert_fits(shown.page)
    shown.page.set_viewport_size(NARROW)
    assert_fits(shown.page)
    shown.page.set_viewport_size({"width": 390, "height": 844})
    shown.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert_fits(shown.page)


def violations(page: Page, rules: Sequence[str] = RULES) -> list[str]:
    """What axe-core finds: the rule, where, and why."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"(() => {{ {AXE} }})()")
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


# What is pressed: a control of its own, or the label around it. Links inside sentences are exempt, as in WCAG 2.5.8; so
# is the strip of letters, along which a thumb slides.
TARGETS = """(smallest) => [...document.querySelectorAll('a[href], button, select, input, [role=option]')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('[inert]') && !one.disabled)
  .filter((one) => !one.classList.contains('link') && one.getAttribute('aria-hidden') !== 'true')
  .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
  .filter(([, box]) => Math.min(box.width, box.height) < smallest)
  .map(([one, box]) => `${one.outerHTML.slice(0, 120)} is ${box.width} x ${box.height}`)"""


def too_small(page: Page) -> list[str]:
    """Targets that a thumb may miss."""
    return list(page.evaluate(TARGETS, SMALLEST_TARGET))


# Controls that stand, even in part, outside of the screen to the side; and text cut off inside of them.
LOST = """() => [...document.querySelectorAll('a[href], button, select, input:not(.unseen), textarea, h1, h2, label')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.unseen, .strip, .chips'))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.left < -1 || box.right > innerWidth + 1))
  .map(([one, box]) => `${one.outerHTML.slice(0, 120)} reaches from ${box.left} to ${box.right}`)"""


def assert_fits(page: Page) -> None:
    """Nothing stands outside of the screen to the side, and nothing scrolls sideways."""
    assert page.evaluate(LOST) == []
    width, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room


def test_the_keyboard_alone_adds_a_card_and_shows_it(browser: Browser, site: Running) -> None:
    with phone(browser, site.url, installs=False) as guest:
        tab_to(guest, "add")
        guest.page.keyboard.press("Enter")
        tab_to(guest, "type")
        guest.page.keyboard.press("Enter")
        tab_to(guest, "shop")
        guest.page.keyboard.type("Ашан")
        tab_to(guest, "number")
        guest.page.keyboard.type("4607001234562")
        tab_to(guest, "keep")
        guest.page.keyboard.press("Enter")
        assert guest.shown_code() == [("EAN13", "4607001234562")]
        expect(guest.page.get_by_role("heading", name="Ашан")).to_be_focused()


def tab_to(guest: Phone, test_id: str) -> None:
    """Press Tab until the control has the focus, which must be seen on every one on the way."""
    for _press in range(40):
        guest.page.keyboard.press("Tab")
        focused, outlined = guest.page.evaluate(FOCUS)
        assert outlined, f"The focus on {focused} cannot be seen."
        if focused == test_id:
            return
    raise AssertionError(f"Tab never reaches {test_id}.")


FOCUS = """() => {
  const one = document.activeElement;
  const seen = one.classList.contains('unseen') ? one.parentElement : one;
  const style = getComputedStyle(seen);
  // A heading takes the focus when its screen appears, for screen readers: nothing can be done with it.
  const outlined = one === document.body || one.matches('h1') ||
    (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
  return [one.dataset.testid ?? one.outerHTML.slice(0, 100), outlined];
}"""


def test_what_was_read_is_said_to_a_screen_reader(browser: Browser, site: Running, wallets: Wallets) -> None:
    with phone(browser, site.url, installs=False) as guest:
        [scene] = [scene for scene in SCENES if scene.name == "confirm"]
        scene.show(guest, wallets)
        said = guest.page.locator("[aria-live], [role=status]")
        expect(said.filter(has_text=NEW).first).to_be_attached()


def test_with_reduced_motion_nothing_moves(browser: Browser, site: Running) -> None:
    with phone(browser, site.url, installs=False, reduced_motion="reduce") as guest:
        guest.add_by_typing("Ашан", "1")
        guest.press("Что сделать с картой")
        expect(guest.page.get_by_role("dialog")).to_be_visible()
        assert guest.page.evaluate("document.getAnimations().length") == 0
