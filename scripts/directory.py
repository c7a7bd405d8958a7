"""Builds the merchant directory from the lines of directory.mjs (standard input) and tells what they would change.

    node scripts/directory.mjs            rewrite aggregator/merchants/data/directory.json
    node scripts/directory.mjs --check    only tell; exit code 1 if the file would change

A slug once published stays: a shop is known again by its source (Wikidata id or the package's item ids), else by its
name and kind. Two shops that became one keep both slugs ("merged"); a shop the source dropped keeps its own ("gone").
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aggregator.merchants.normal import latin, plain, slug_of

DATA = Path(__file__).resolve().parent.parent / "aggregator" / "merchants" / "data"
FORMAT = "karman-directory/1"
FIELDS = ["slug", "names", "aliases", "countries", "categories", "source", "home", "fame", "local"]
EVERYWHERE = "*"

# Kinds of shop under which one brand is often listed twice; the same name elsewhere is taken for another brand.
FAMILIES = """
shop/supermarket shop/convenience shop/frozen_food shop/butcher shop/bakery shop/greengrocer shop/dairy shop/deli \
shop/pastry shop/confectionery shop/wholesale shop/general shop/variety_store amenity/cafe
shop/car shop/car_repair shop/car_parts shop/tyres
shop/newsagent shop/kiosk shop/books shop/stationery
shop/cosmetics shop/perfumery shop/chemist shop/beauty
shop/clothes shop/shoes shop/bag shop/fashion_accessories shop/baby_goods
shop/electronics shop/mobile_phone shop/computer shop/appliance shop/telecommunication
shop/doityourself shop/hardware shop/trade shop/paint shop/tiles shop/houseware shop/bathroom_furnishing
shop/furniture shop/bed shop/interior_decoration shop/kitchen
amenity/cafe amenity/restaurant amenity/fast_food amenity/bar amenity/pub amenity/ice_cream
healthcare/laboratory healthcare/sample_collection
"""
_FAMILIES = [frozenset(line.split()) for line in FAMILIES.strip().splitlines()]
# Sites on which many shops have a page of their own.
SHARED_SITES = {"facebook", "google", "instagram", "vk", "wixsite", "wordpress", "blogspot", "archive", "github", "ok"}
SECOND_LEVEL = {"co", "com", "org", "net", "gob", "gov", "or", "ne", "ac", "edu", "msk", "spb"}


@dataclass
class Brand:
    """Items of the source that are one merchant."""

    items: list[dict[str, Any]]
    wikidata: str | None = None
    slug: str = ""
    fame: int = 0
    names: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return self.wikidata or " ".join(sorted(item["id"] for item in self.items))

    @property
    def ids(self) -> set[str]:
        return {item["id"] for item in self.items} | ({self.wikidata} if self.wikidata else set())

    @property
    def kinds(self) -> list[str]:
        return sorted({item["kind"] for item in self.items})

    @property
    def main_kind(self) -> str:
        """What most of its items are, then what it is in most countries."""
        votes = Counter(item["kind"] for item in self.items)
        reach = Counter({kind: sum(weight(i) for i in self.items if i["kind"] == kind) for kind in votes})
        return min(votes, key=lambda kind: (-votes[kind], -reach[kind], kind))

    @property
    def home(self) -> list[str]:
        return sorted({code for item in self.items for code in item["named"]})

    @property
    def countries(self) -> list[str]:
        return union_of_countries(self.items)


def union_of_countries(items: list[dict[str, Any]]) -> list[str]:
    """ISO codes, or `*` followed by exclusions (`-ru`) that no item lifts."""
    listed = {code for item in items for code in item["include"] if code not in item["exclude"]} - {EVERYWHERE}
    worldwide = [set(item["exclude"]) for item in items if EVERYWHERE in item["include"]]
    if not worldwide:
        return sorted(listed)
    return [EVERYWHERE, *sorted(f"-{code}" for code in set.intersection(*worldwide) - listed)]


# ---------------------------------------------------------------- which items are one merchant


def brands_of(items: Iterable[dict[str, Any]], merge: dict[str, str]) -> list[Brand]:
    """Merges items that share a Wikidata id (`merge` gives one by display name), then joins twins that lack one."""
    by_wikidata: dict[str, list[dict[str, Any]]] = defaultdict(list)
    loose: list[Brand] = []
    for item in sorted(items, key=lambda item: str(item["id"])):
        if not item["include"]:
            continue
        wikidata = item["wikidata"] or merge.get(item["name"])
        if wikidata:
            by_wikidata[wikidata].append(item)
        else:
            loose.append(Brand([item]))
    known = [Brand(group, qid) for qid, group in sorted(by_wikidata.items())]
    brands = join_twins(known + loose)
    for brand in brands:
        name_brand(brand)
    drop_shared_site_names(brands)
    return brands


def join_twins(brands: list[Brand]) -> list[Brand]:
    """Joins brands of one name, in a common country and related kinds, unless two of them have ids of their own."""
    by_name: dict[str, list[Brand]] = defaultdict(list)
    for brand in brands:
        for key in sorted({latin(plain(shown(item))).replace(" ", "") for item in brand.items}):
            by_name[key].append(brand)
    gone: set[int] = set()
    for namesakes in by_name.values():
        for brand in [b for b in namesakes if not b.wikidata]:
            twins = [b for b in namesakes if b is not brand and id(b) not in gone and related(brand, b)]
            twin = the_only(twins)
            if twin is not None and id(brand) not in gone:
                twin.items += brand.items
                gone.add(id(brand))
    return [brand for brand in brands if id(brand) not in gone]


def the_only(twins: list[Brand]) -> Brand | None:
    with_id = [brand for brand in twins if brand.wikidata]
    if len(with_id) > 1:
        return None
    return next(iter(with_id or twins), None)


def related(one: Brand, other: Brand) -> bool:
    kinds, others = set(one.kinds), set(other.kinds)
    kin = bool(kinds & others) or any(kinds & family and others & family for family in _FAMILIES)
    return kin and meet(one.countries, other.countries)


def meet(one: list[str], other: list[str]) -> bool:
    if EVERYWHERE in one and EVERYWHERE in other:
        return True
    if EVERYWHERE in other:
        one, other = other, one
    if EVERYWHERE in one:
        return any(f"-{code}" not in one for code in other)
    return bool(set(one) & set(other))


# ---------------------------------------------------------------- names


CYRILLIC_COUNTRIES = frozenset(["bg", "by", "kg", "kz", "mk", "mn", "ru", "rs", "tj", "ua"])
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_HINT = re.compile(r"\s*\([^()]*\)$")


def shown(item: dict[str, Any]) -> str:
    """The display name without the hint the source adds to tell namesakes apart, "(Россия)"."""
    return _HINT.sub("", item["name"]) or str(item["name"])


def weight(item: dict[str, Any]) -> int:
    include: list[str] = item["include"]
    return 1000 if EVERYWHERE in include else len(include)


def local_name(brand: Brand, country: str) -> str:
    """What the brand is called there: in the country's letters if it can be, by its main name if it can be."""

    def order(item: dict[str, Any]) -> tuple[Any, ...]:
        foreign = country in CYRILLIC_COUNTRIES and not _CYRILLIC.search(shown(item))
        other_kind = item["kind"] != brand.main_kind
        return foreign, shown(item) != brand.names[0], other_kind, weight(item), len(item["name"]), item["name"]

    return shown(min((item for item in brand.items if country in item["named"]), key=order))


def best_name(items: list[dict[str, Any]]) -> str:
    """The display name of most items, then of most countries, then the shortest."""
    votes = Counter(map(shown, items))
    reach: Counter[str] = Counter()
    for item in items:
        reach[shown(item)] += weight(item)
    everywhere = {shown(item) for item in items if EVERYWHERE in item["include"]}
    return min(votes, key=lambda name: (name not in everywhere, -votes[name], -reach[name], len(name), name))


def how_known(brand: Brand) -> int:
    """How many public channels and languages the source knows it by: its only hint at how well known a shop is."""
    languages = {key.partition(":")[2] for item in brand.items for key in item["tags"] if ":" in key}
    return max(item["channels"] for item in brand.items) + min(len(languages), 4)


def name_brand(brand: Brand) -> None:
    first = best_name(brand.items)
    own = list(map(shown, brand.items))
    own += [item["tags"][key] for item in brand.items for key in ("name", "brand") if key in item["tags"]]
    brand.names = distinct([first, *split_values(sorted(own))])
    brand.aliases = distinct(other_names(brand), known=brand.names)
    brand.fame = how_known(brand)


def other_names(brand: Brand) -> list[str]:
    tagged = [
        (key, value) for item in brand.items for key, value in item["tags"].items() if key not in ("name", "brand")
    ]
    names = split_values(value for _, value in sorted(tagged))
    names += sorted(name for item in brand.items for name in item["match"])
    names += sorted({item["label"] for item in brand.items if item["label"]})
    squashed = {latin(plain(name)).replace(" ", "") for name in brand.names + names}
    return names + sorted({s for item in brand.items if (s := site_name(item["website"])) and s not in squashed})


def split_values(values: Iterable[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(";") if part.strip()]


def distinct(names: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """Names in their order, each but once however it is cased or accented; wordless ones left out."""
    seen = {plain(name) for name in known} | {""}
    return [name for name in names if not ((key := plain(name)) in seen or seen.add(key))]  # type: ignore[func-returns-value]


def site_name(url: str | None) -> str | None:
    """The label a shop registered: `5ka` of https://www.5ka.ru/; people type it and cards print it."""
    host = (urlsplit(url).hostname or "") if url else ""
    labels = host.removeprefix("www.").split(".")
    if len(labels) > 2 and labels[-2] in SECOND_LEVEL:
        labels.pop()
    name = labels[-2] if len(labels) >= 2 else ""
    fits = 3 <= len(name) <= 24 and name.isascii() and name not in SHARED_SITES and not name.startswith("xn--")
    return name.replace("-", " ") if fits else None


def drop_shared_site_names(brands: list[Brand]) -> None:
    """A site that serves several brands (an owner's, a shopping centre's) names none of them."""
    sites = Counter(site for brand in brands for site in {site_name(item["website"]) for item in brand.items} if site)
    for brand in brands:
        shared = {s for item in brand.items if (s := site_name(item["website"])) and sites[s] > 1}
        brand.aliases = [alias for alias in brand.aliases if alias not in shared]


# ---------------------------------------------------------------- slugs


def known_again(brands: list[Brand], old: dict[str, Any]) -> dict[str, str]:
    """Gives brands the slugs they had; returns the slugs that now lead to another one."""
    slugs_by_source: dict[str, str] = {}
    for slug, source in [*old["gone"].items(), *((row[0], row[5]) for row in old["merchants"])]:
        slugs_by_source.update(dict.fromkeys(source.split(), slug))
    merged: dict[str, str] = {}
    taken: set[str] = set()
    for brand in sorted(brands, key=lambda brand: brand.source):
        had = {slugs_by_source[i] for i in brand.ids if i in slugs_by_source} - taken
        if had:
            own = slugs_by_source.get(brand.source.split()[0])
            brand.slug = own if own in had else min(had)
            merged.update(dict.fromkeys(had - {brand.slug}, brand.slug))
            taken |= had
    known_by_name(brands, [row for row in old["merchants"] if row[0] not in taken])
    return merged


def known_by_name(brands: list[Brand], rows: list[list[Any]]) -> None:
    """The source renumbers its items when their countries change: name and kind then tell, if they tell one only."""
    places: dict[tuple[str, str], list[Brand]] = defaultdict(list)
    for brand in brands:
        for kind in brand.kinds if not brand.slug else ():
            places[plain(brand.names[0]), kind].append(brand)
    for row in sorted(rows):
        found = {id(b): b for kind in row[4].split() for b in places[plain(row[1][0]), kind] if not b.slug}
        if len(found) == 1:
            found.popitem()[1].slug = row[0]


def give_slugs(brands: list[Brand], taken: set[str]) -> None:
    """New brands get the plainest slug; of several wishers the widest spread does, the others go on to a longer one."""
    longer: list[Callable[[Brand], str]] = [
        base_slug,
        lambda b: "-".join([base_slug(b), *(b.home if len(b.home) == 1 else [kind_slug(b)])]),
        lambda b: "-".join([base_slug(b), kind_slug(b), *b.home[:3]]),
        lambda b: f"{base_slug(b)}-{hashlib.sha256(b.source.encode()).hexdigest()[:8]}",
    ]
    waiting = [brand for brand in brands if not brand.slug]
    for form in longer:
        wishes: dict[str, list[Brand]] = defaultdict(list)
        for brand in waiting:
            wishes[form(brand)].append(brand)
        for wish in wishes.keys() - taken:
            winner = widest(wishes[wish])
            if winner is not None:
                winner.slug = wish
        taken |= {brand.slug for brand in waiting if brand.slug}
        waiting = [brand for brand in waiting if not brand.slug]


def widest(wishers: list[Brand]) -> Brand | None:
    """The one that trades in most countries, if only one does."""
    first, *others = sorted(wishers, key=breadth, reverse=True)
    return first if not others or breadth(first) > breadth(others[0]) else None


def breadth(brand: Brand) -> int:
    countries = brand.countries
    return 1000 - len(countries) if EVERYWHERE in countries else len(countries)


def base_slug(brand: Brand) -> str:
    english = sorted(
        item["tags"][key] for item in brand.items for key in ("brand:en", "name:en") if key in item["tags"]
    )
    first = [item["tags"].get("brand:en") for item in brand.items if shown(item) == brand.names[0]]
    wishes = [name for name in [*first, *english] if name and not latin_already(brand.names[0])] + brand.names
    return next((slug for name in wishes if (slug := slug_of(name))), "shop")


def kind_slug(brand: Brand) -> str:
    return brand.main_kind.partition("/")[2].replace("_", "-")


def latin_already(name: str) -> bool:
    return bool(slug_of(name)) and plain(name).isascii()


# ---------------------------------------------------------------- the file


def row_of(brand: Brand) -> list[Any]:
    countries, home = " ".join(brand.countries), " ".join(brand.home)
    local: dict[str, list[str]] = defaultdict(list)
    for code in brand.home:
        there = local_name(brand, code)
        if plain(there) != plain(brand.names[0]):
            local[there].append(code)
    row = [brand.slug, brand.names, brand.aliases, countries, " ".join(brand.kinds), brand.source, home, brand.fame]
    return [*row, {name: " ".join(codes) for name, codes in sorted(local.items())}] if local else row


def added_item(shop: dict[str, Any]) -> dict[str, Any]:
    """A shop of ours in the shape of the source's items."""
    return {
        "id": f"own-{slug_of(shop['name'])}", "kind": shop["kind"], "name": shop["name"], "match": shop["also"],
        "tags": {}, "wikidata": None, "include": shop["countries"], "exclude": [], "named": shop["countries"],
        "label": None, "website": None, "channels": 0,
    }  # fmt: skip


def correct(brands: list[Brand], corrections: dict[str, Any]) -> None:
    """Names and fame by hand, told by slug; a correction whose shop the source no longer has does nothing."""
    for brand in brands:
        more = corrections["aliases"].get(brand.slug, [])
        brand.aliases += distinct(more, known=brand.names + brand.aliases)
        brand.fame = corrections["fame"].get(brand.slug, brand.fame)


def build(lines: Iterable[str], old: dict[str, Any], corrections: dict[str, Any]) -> dict[str, Any]:
    """The new directory from the lines that directory.mjs prints, the directory there is and our corrections."""
    head, *items = map(json.loads, lines)
    brands = brands_of([*items, *map(added_item, corrections["add"])], corrections["merge"])
    merged = known_again(brands, old)
    slugs = {row[0] for row in old["merchants"]} | set(old["gone"]) | set(old["merged"])
    give_slugs(brands, slugs)
    correct(brands, corrections)
    rows = sorted((row_of(brand) for brand in brands), key=lambda row: str(row[0]))
    living = {row[0] for row in rows}
    merged = {slug: merged.get(to, to) for slug, to in old["merged"].items()} | merged
    sources = old["gone"] | {row[0]: row[5] for row in old["merchants"]}
    gone = {slug: source for slug, source in sources.items() if slug not in living and slug not in merged}
    notes = f"{head['source']} ({head['license']}); English labels and sites of Wikidata as packed there (CC0)"
    return {
        "format": FORMAT, "source": notes, "fields": FIELDS, "merged": merged, "gone": gone, "merchants": rows,
    }  # fmt: skip


EMPTY: dict[str, Any] = {"merged": {}, "gone": {}, "merchants": []}


def dump(value: Any) -> str:
    return str(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def written(directory: dict[str, Any]) -> str:
    """One merchant a line, so that a newer release of the source shows as a readable difference."""
    head = [
        f"{dump(key)}:{dump(value)}" for key, value in directory.items() if key not in ("merged", "gone", "merchants")
    ]
    head += [f"{dump(key)}:{dump(dict(sorted(directory[key].items())))}" for key in ("merged", "gone")]
    rows = ",\n".join(map(dump, directory["merchants"]))
    return "{" + ",\n".join(head) + ',\n"merchants":[\n' + rows + "\n]}\n"


def changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    before, after = ({row[0]: row for row in directory["merchants"]} for directory in (old, new))
    for slug in sorted(after.keys() - before.keys()):
        yield f"added    {slug}: {after[slug][1][0]} ({after[slug][4]}; {after[slug][3]})"
    for slug in sorted(before.keys() - after.keys()):
        yield f"{'merged' if slug in new['merged'] else 'gone':8} {slug}: {before[slug][1][0]}"
    for slug in sorted(before.keys() & after.keys()):
        if before[slug][1][0] != after[slug][1][0]:
            yield f"renamed  {slug}: {before[slug][1][0]} -> {after[slug][1][0]}"
        elif before[slug] != after[slug]:
            yield f"changed  {slug}: {difference(before[slug], after[slug])}"


def difference(before: list[Any], after: list[Any]) -> str:
    return ", ".join(f for f, a, b in zip(FIELDS, [*before, {}], [*after, {}], strict=False) if a != b)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--corrections", type=Path, default=DATA / "corrections.json")
    parser.add_argument("--target", type=Path, default=DATA / "directory.json")
    arguments = parser.parse_args()
    before = arguments.target.read_text("utf-8") if arguments.target.exists() else ""
    old = json.loads(before) if before else EMPTY
    corrections = json.loads(arguments.corrections.read_text("utf-8"))
    new = build(sys.stdin, old, corrections)
    text = written(new)
    told = list(changes(old, new))
    print("\n".join(told if before else []), end="\n" if before and told else "")
    counts = Counter(line.split()[0] for line in told)
    print(
        f"{len(new['merchants'])} merchants; " + (", ".join(f"{n} {what}" for what, n in counts.items()) or "unchanged")
    )
    if not arguments.check:
        arguments.target.write_text(text, "utf-8")
    return int(arguments.check and text != before)


if __name__ == "__main__":
    sys.exit(main())
