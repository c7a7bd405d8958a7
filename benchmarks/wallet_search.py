"""What a keystroke costs in the wallet's search box with 250 cards, and a look into 2,000 shops without a network.

    python -m benchmarks.wallet_search

Runs the built app in a headless Chromium of phone size. `search` and `shops` are the functions alone; `keystroke` is
everything between a letter and the list laid out anew. Each word is typed letter by letter, all of them ROUNDS times;
a keystroke counts by its median, for a busy machine takes turns from it. The first of all, when nothing is prepared or
compiled yet, is told apart. Prints a table and, last, the figures as JSON.
"""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from aggregator.merchants.directory import Directory
from tests.browser import REPOSITORY, Phone, built_web, chromium, phone
from tests.screens import ean
from tests.service import Person, ServiceOptions, code, running, uuid7

CARDS = 250
SHOPS = 2_000
ROUNDS = 5
# As they are, with slips, in the other alphabet, on the other layout, of a note, of nothing, and numbers.
WORDS = (
    "пятёрочка", "пятерчка", "pyaterochka", "gznthjxrf", "магнит", "vfuytn", "вкус вил", "перекресок", "sportmaster",
    "золотое яблоко", "скидка по вторникам", "crblrf", "такого здесь нет", "5ка", "2200 0000 1", "7789",
)  # fmt: skip
ENTRY = "export {{ search }} from '{src}/search.ts'; export {{ find, shopOf }} from '{src}/shops.ts';"
Rounds = list[list[float]]
BUNDLE = """
import { build } from 'vite';
const lib = { entry: process.argv[1], formats: ['iife'], name: 'karman' };
const options = { write: false, target: 'es2022', lib };
const made = await build({ configFile: false, publicDir: false, logLevel: 'error', build: options });
console.log(made[0].output[0].code);
"""
ALONE = """({ cards, shops, words }) => {
  const timed = (work) => { const start = performance.now(); work(); return performance.now() - start; };
  const keys = words.flatMap((word) => Array.from(word, (_, at) => word.slice(0, at + 1)));
  const known = shops.map((row) => karman.shopOf(...row));
  // As the add screen does before anything is typed.
  known.forEach((shop) => shop.names);
  const search = (key) => timed(() => karman.search(cards, key, 'ru'));
  const find = (key) => timed(() => karman.find(known, key, 6));
  const rounds = Array(ROUNDS).fill(keys);
  return { search: rounds.map((all) => all.map(search)), shops: rounds.map((all) => all.map(find)) };
}"""
TYPED = """async (words) => {
  const box = document.querySelector('[data-testid=search]');
  const rows = () => document.querySelectorAll('[data-testid=card-row]').length;
  const type = async (text) => {
    const start = performance.now();
    box.value = text;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const shown = rows() + document.body.offsetHeight * 0;
    const took = performance.now() - start;
    await new Promise((done) => setTimeout(done, 20));
    if (rows() < shown || (shown === 0) !== (rows() === 0)) throw new Error(`no list in time after ${text}`);
    return took;
  };
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const took = [];
    for (const word of words) {
      for (let at = 1; at <= word.length; at++) took.push(await type(word.slice(0, at)));
      await type('');
    }
    rounds.push(took);
  }
  return rounds;
}"""


def main() -> None:
    """Measure and print."""
    built_web()
    directory = Directory.read()
    with (
        tempfile.TemporaryDirectory() as data,
        running(ServiceOptions(Path(data) / "data")) as service,
        Person.signed_up(service.url) as person,
        chromium() as browser,
    ):
        cards = wallet(directory)
        keep(person, cards)
        with phone(browser, service.url) as shown:
            figures = alone(shown.page, cards, listed(directory)) | {"keystroke": typed(shown, person)}
    report(figures)


def wallet(directory: Directory) -> list[dict[str, Any]]:
    """Cards of the best known shops, with notes as people write them."""
    notes = ("", "скидка по вторникам", "спросить у кассы про баллы", "")
    return [
        {
            "name": shop.name_in("ru"),
            "merchant": shop.slug,
            "number": ean(f"2200{place:08d}"),
            "note": notes[place % len(notes)],
        }
        for place, shop in enumerate(directory.well_known("ru", CARDS))
    ]


def listed(directory: Directory) -> list[tuple[str, str, list[str]]]:
    """Shops as the list on the device has them: of Russia, and others to make up the number."""
    shops = [*directory.applicable("ru"), *directory.well_known(None, SHOPS)]
    distinct = list({shop.slug: shop for shop in shops}.values())[:SHOPS]
    return [(shop.slug, shop.name_in("ru"), [*shop.names[1:], *shop.aliases]) for shop in distinct]


def keep(person: Person, cards: list[dict[str, Any]]) -> None:
    """Put the cards into somebody's account."""
    bodies = [
        {key: value for key, value in card.items() if value} | {"codes": [code(card["number"])]} for card in cards
    ]
    person.send([person.mutation("card.keep", id=uuid7(), card=body) for body in bodies]).raise_for_status()


def alone(page: Page, cards: list[dict[str, Any]], shops: list[tuple[str, str, list[str]]]) -> dict[str, Rounds]:
    """Milliseconds of the functions, a keystroke each."""
    bundle = bundled()
    shown = [card | {"id": card["merchant"], "codes": [code(card["number"])], "archived": False} for card in cards]
    asked = {"cards": shown, "shops": shops, "words": WORDS}
    took: dict[str, Rounds] = page.evaluate(
        f"(asked) => {{ {bundle}; return ({ALONE.replace('ROUNDS', str(ROUNDS))})(asked); }}", asked
    )
    return took


def bundled() -> str:
    """The functions as one script, which calls them `karman`."""
    web = REPOSITORY / "web"
    with tempfile.TemporaryDirectory() as folder:
        entry = Path(folder) / "entry.ts"
        entry.write_text(ENTRY.format(src=web / "src"), encoding="utf-8")
        command = ["node", "--input-type=module", "-e", BUNDLE, str(entry)]
        return subprocess.run(command, cwd=web, check=True, stdout=subprocess.PIPE, text=True).stdout


def typed(shown: Phone, person: Person) -> Rounds:
    """Milliseconds from a letter to the list, laid out."""
    shown.sign_in(person.email)
    shown.synced()
    shown.at("/")
    shown.id("search").focus()
    shown.page.wait_for_timeout(3_000)
    took: Rounds = shown.page.evaluate(TYPED.replace("ROUNDS", str(ROUNDS)), WORDS)
    return took


def report(figures: dict[str, Rounds]) -> None:
    """The table, and the same as JSON."""
    summary = {name: summed(took) for name, took in figures.items()}
    print(f"{'ms a keystroke':16}{'p50':>8}{'p95':>8}{'most':>8}{'first':>8}{'count':>8}")
    for name, row in summary.items():
        print(f"{name:16}" + "".join(f"{value:8.1f}" for value in row.values()))
    print(json.dumps(summary))


def summed(took: Rounds) -> dict[str, float]:
    """The usual and the worst keystrokes; the very first one apart."""
    medians = [statistics.median(times) for times in zip(*took, strict=True)]
    p95 = statistics.quantiles(medians, n=20)[-1]
    row = {"p50": statistics.median(medians), "p95": p95, "most": max(medians), "first": took[0][0]}
    return {name: round(value, 2) for name, value in row.items()} | {"count": len(medians)}


if __name__ == "__main__":
    main()
