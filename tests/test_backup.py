"""A backup holds everything, fits either store, and a restore either happens whole or says that it did not."""

import asyncio
import gzip
import json
import os
import random
import re
import shutil
import signal
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from aggregator.backup import archive, rows
from aggregator.backup.archive import ArchiveDamaged
from aggregator.backup.passphrase import PassphraseWrong
from aggregator.backup.restore import RestoreRefused, restore
from aggregator.backup.save import BackupRefused, save
from aggregator.crypto import new_ring
from aggregator.jobs import now_ms
from aggregator.settings import Settings, read
from aggregator.store import KeysMissing, StoreInUse
from tests import samples
from tests.answers import assert_problem
from tests.inside import Guest, opened
from tests.launcher import ended, launch
from tests.partners import inside_shop
from tests.service import PASSWORD, Person, ServiceOptions, running, uuid7
from tests.shapes import Shape, shape_of
from tests.stores import Kept, Rows, returned, ring_of
from tests.test_commands import run

PASSPHRASE = "a pocket full of cards"
PICTURE = samples.encoded(Image.new("RGB", (64, 64), "#336699"), "PNG")
# What a restore makes anew.
OWN = {"store_fact", "job", "restored_space", "gone_space"}

Empty = Callable[[str], ServiceOptions]


@pytest.fixture
def empty(tmp_path: Path, request: pytest.FixtureRequest) -> Empty:
    """Makes a store of a kind, `embedded` or `grown`, that nobody has used."""

    def make(kind: str) -> ServiceOptions:
        folder = tmp_path / f"{kind}-{uuid7()}"
        if kind == "embedded":
            return ServiceOptions(folder)
        database = request.getfixturevalue("postgres_server").create_database()
        return ServiceOptions.on_servers(folder, database, request.getfixturevalue("s3_server").create_bucket())

    return make


def with_passphrase(options: ServiceOptions, passphrase: str = PASSPHRASE) -> ServiceOptions:
    return replace(options, environment={**options.environment, "KARMAN_BACKUP_PASSPHRASE": passphrase})


def with_ring_of(target: ServiceOptions, source: ServiceOptions) -> ServiceOptions:
    """The target with the source's ring where rings are a setting, else with the passphrase of the backup's."""
    if "KARMAN_KEYS" not in target.environment:
        return with_passphrase(target)
    return replace(target, environment={**target.environment, "KARMAN_KEYS": json.dumps(ring_of(source))})


def settings_of(options: ServiceOptions) -> Settings:
    return read({"data": str(options.data)}, options.environment)


def contents(options: ServiceOptions) -> dict[str, list[str]]:
    """Every row of every table that a backup carries, in words both stores share."""
    return {name: sorted(_words(row) for row in table.rows) for name, table in _carried(shape_of(Rows(options)))}


def _carried(shape: Shape) -> list[tuple[str, Any]]:
    return [(name, table) for name, table in shape.items() if name not in OWN]


def _words(row: Any) -> str:
    return repr(sorted((name, value if isinstance(value, bytes) else str(value)) for name, value in row.items()))


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize("kind", ["embedded", "grown"])
def test_a_backup_of_a_running_service_comes_back_whole_in_either_store(
    options: ServiceOptions, empty: Empty, kind: str, tmp_path: Path
) -> None:
    file, target = tmp_path / "karman.tar", with_ring_of(empty(kind), options) if kind == "embedded" else empty(kind)
    with running(options) as own, Person.signed_up(own.url) as person:
        picture, _ = person.upload(PICTURE)
        card, binned = person.keep(front=picture, number="7789"), person.keep(name="Лента")
        person.push("card.bin", id=binned)
        held = person.pull()
        before, pictures = contents(options), Kept(options).all()
        saved = run(with_passphrase(options), "backup", str(file), "--with-keys")
        assert (saved.status, saved.errors) == (0, "")
        assert "1 accounts, 2 cards, 1 pictures, and the key ring" in saved.said
        person.push("card.set", id=card, fields={"note": "later"})
        after = person.pull()
    target = with_ring_of(target, options)
    ended = run(target, "restore", str(file))
    assert (ended.status, ended.errors) == (0, "")
    assert "2 cards" in ended.said
    assert contents(target) == before
    assert Kept(target).all() == pictures
    with running(target) as again, returned(person, again.url) as later:
        assert later.cards()[card].get("note") is None
        assert later.cards().keys() == {card, binned}
        path = f"/api/pictures/{later.space}/{picture}"
        assert later.http.get(path, params={"account": later.account}).status_code == 200
        pulled = later.pull(after["cookie"])
        assert pulled["patch"][0] == {"op": "clear"}
        version = max(op["version"] for op in held["patch"] if "version" in op)
        assert pulled["restored"] == {later.space: version}
        assert later.pull(held["cookie"])["restored"] == {later.space: version}
        assert "restored" not in later.pull(pulled["cookie"])
        assert "restored" not in later.pull()
        gap = later.send([later.mutation("card.bin", id=card)])
        assert assert_problem(gap, 409, "gap")["expected"] == later.next_id - 2
        session = {"email": person.email, "password": PASSWORD, "device": "new"}
        assert httpx.post(f"{again.url}/api/session", json=session).status_code == 200


# Where nothing listens.
NOBODY = "http://127.0.0.1:9/"


async def keep_shop(guest: Guest) -> None:
    """A shop with something in most of its tables."""
    shop = await inside_shop(guest.http, is_sandbox=True)
    done = [
        await shop.call("PUT", "/programme", {"name": {"en": "Mint"}}),
        await shop.call("POST", "/webhooks", {"url": NOBODY}, key="hook"),
        card := await shop.call("POST", "/sandbox/cards", {"number": "7789"}, key="card"),
        await shop.call("POST", f"/sandbox/cards/{card.json()['id']}/connect", {"policy": "challenge"}),
        await shop.call("PUT", "/cards/7789/balance", {"main": 5, "as_of": "2026-01-01T00:00:00Z"}),
    ]
    assert all(answer.is_success for answer in done)


def test_a_shop_comes_back_with_all_that_is_its_own(options: ServiceOptions, tmp_path: Path) -> None:
    source = ServiceOptions(tmp_path / "source", environment={"KARMAN_PRIVATE_HOSTS": "127.0.0.1:9"})
    file = tmp_path / "karman.tar"

    async def story() -> None:
        async with opened(source) as guest:
            guest.http.cookies.clear()
            await keep_shop(guest)
        await save(settings_of(source), file, PASSPHRASE)

    asyncio.run(story())
    before, target = contents(source), with_ring_of(options, source)
    restored(target, file)
    assert contents(target) == before
    for table in ("partner", "programme", "webhook", "delivery", "event", "balance", "link_attempt", "sandbox_card"):
        assert len(before[table]) == 1


def test_whoever_pulled_before_the_first_of_two_restores_is_told_of_the_older_one(empty: Empty, tmp_path: Path) -> None:
    async def first(guest: Guest) -> tuple[str, str, dict[str, str]]:
        await guest.keep()
        pulled = await guest.http.get("/api/sync/pull", params={"account": guest.account})
        await save(settings_of(source), tmp_path / "1.tar", None)
        return guest.account, pulled.json()["cookie"], dict(guest.http.cookies)

    async def second() -> None:
        async with opened(source) as guest:
            other = {**guest.http.cookies}
            guest.http.cookies.clear()
            guest.http.cookies.update(cookies)
            mine = Guest(guest.http, account, space, uuid7(), guest.service, guest.store)
            for _ in range(3):
                await mine.keep()
            await save(settings_of(source), tmp_path / "2.tar", None)
            assert other

    source = empty("embedded")

    async def story() -> tuple[str, str, str, dict[str, str]]:
        async with opened(source) as guest:
            return (guest.space, *await first(guest))

    space, account, cookie, cookies = asyncio.run(story())
    asyncio.run(restore(settings_of(source), tmp_path / "1.tar", no_passphrase, replace=True))
    asyncio.run(second())
    asyncio.run(restore(settings_of(source), tmp_path / "2.tar", no_passphrase, replace=True))

    async def third() -> dict[str, Any]:
        async with opened(source) as guest:
            guest.http.cookies.clear()
            guest.http.cookies.update(cookies)
            answer = await guest.http.get("/api/sync/pull", params={"account": account, "cookie": cookie})
            return dict(answer.json())

    pulled = asyncio.run(third())
    assert pulled["restored"] == {space: 1}
    assert len(pulled["patch"]) == 1 + 4


def dumped(file: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a table in a backup."""
    for name, content in archive.parts(file):
        if name == f"rows/{table}.jsonl.gz":
            with rows.opened(content) as (columns, found):
                return [dict(zip(columns, row, strict=True)) for row in found]
    return []


def test_a_backup_taken_amid_pushes_is_of_one_moment(options: ServiceOptions, tmp_path: Path) -> None:
    with running(options) as own, Person.signed_up(own.url) as person, ThreadPoolExecutor(1) as thread:
        person.keep()
        stopped = Event()
        pushing = thread.submit(_push_until, person, stopped)
        files = [tmp_path / f"{number}.tar" for number in range(3)]
        for file in files:
            asyncio.run(save(settings_of(options), file, None))
        stopped.set()
        pushing.result()
    counts = []
    for file in files:
        [space], [client] = dumped(file, "space"), dumped(file, "client")
        assert space["version"] == client["last_id"] == len(dumped(file, "entry")) == len(dumped(file, "receipt"))
        counts.append(space["version"])
    assert counts[0] < counts[-1]


def _push_until(person: Person, stopped: Event) -> None:
    while not stopped.is_set():
        person.keep()


def no_passphrase() -> str:
    raise AssertionError("nobody was to be asked")


# ---------------------------------------------------------------- refusals that touch nothing


@dataclass(frozen=True)
class Made:
    """A backup of a small embedded store, with its ring under PASSPHRASE."""

    file: Path
    source: ServiceOptions
    accounts: int = 1
    cards: int = 2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once, since nobody changes it."""
    folder = tmp_path_factory.mktemp("made")
    source, file = ServiceOptions(folder / "data"), folder / "karman.tar"

    async def story() -> None:
        async with opened(source) as guest:
            picture = await guest.upload(PICTURE)
            await guest.keep(front=picture)
            await guest.keep()
            await save(settings_of(source), file, PASSPHRASE)

    asyncio.run(story())
    return Made(file, source)


def restored(options: ServiceOptions, file: Path, passphrase: str = PASSPHRASE, *, replace: bool = False) -> None:
    asyncio.run(restore(settings_of(options), file, lambda: passphrase, replace=replace))


def everything(options: ServiceOptions) -> tuple[Any, ...]:
    return shape_of(Rows(options)), Kept(options).all(), _ring_file(options)


def _ring_file(options: ServiceOptions) -> str | None:
    path = options.data / "keys.json"
    return path.read_text() if path.exists() else None


@pytest.fixture
def somebodys(options: ServiceOptions) -> tuple[ServiceOptions, tuple[Any, ...]]:
    """A store in which somebody has a card with a picture, and all that is in it."""

    async def story() -> None:
        async with opened(options) as guest:
            await guest.keep(front=await guest.upload(PICTURE))

    asyncio.run(story())
    return options, everything(options)


def damage(made: Made, target: Path, kind: str) -> Path:
    data = bytearray(made.file.read_bytes())
    if kind == "a byte of a part":
        with tarfile.open(made.file) as tar:
            part = random.Random(1).choice([entry for entry in tar if entry.name not in {"manifest.json", "sums.txt"}])
        data[part.offset_data + part.size // 2] ^= 1
    elif kind == "cut in half":
        del data[len(data) // 2 :]
    elif kind == "without its end":
        with tarfile.open(made.file) as tar:
            del data[tar.getmember("manifest.json").offset :]
    elif kind == "no backup":
        data = bytearray(PICTURE)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("kind", ["a byte of a part", "cut in half", "without its end", "no backup"])
def test_a_damaged_backup_is_refused_with_nothing_touched(
    somebodys: tuple[ServiceOptions, tuple[Any, ...]], made: Made, tmp_path: Path, kind: str
) -> None:
    options, before = somebodys
    with pytest.raises(ArchiveDamaged):
        restored(options, damage(made, tmp_path / "damaged.tar", kind), replace=True)
    assert everything(options) == before


def test_a_part_that_was_changed_is_named(made: Made, tmp_path: Path) -> None:
    data = bytearray(made.file.read_bytes())
    with tarfile.open(made.file) as tar:
        [picture] = [entry for entry in tar if entry.name.startswith("pictures/")]
    data[picture.offset_data] ^= 1
    changed = tmp_path / "changed.tar"
    changed.write_bytes(data)
    with pytest.raises(ArchiveDamaged, match=picture.name):
        archive.verified(changed)


def test_a_store_that_is_not_empty_in_use_or_without_the_keys_is_refused_with_nothing_touched(
    somebodys: tuple[ServiceOptions, tuple[Any, ...]], made: Made, profile: str
) -> None:
    options, before = somebodys
    fitting = options
    if profile == "grown":
        with pytest.raises(KeysMissing, match="keys unpack"):
            restored(options, made.file)
        fitting = with_ring_of(options, made.source)
    with pytest.raises(RestoreRefused, match="--replace"):
        restored(fitting, made.file)
    with pytest.raises((PassphraseWrong, KeysMissing)):
        restored(options, made.file, "another passphrase", replace=True)

    async def in_use() -> None:
        async with opened(options):
            with pytest.raises(StoreInUse):
                await restore(settings_of(fitting), made.file, lambda: PASSPHRASE, replace=True)

    assert everything(options) == before
    asyncio.run(in_use())


# What the steps from 0004 on have added.
LATER_TABLES = {
    *("gone_device", "gone_space", "restored_space", "push_subscription", "notice", "reminder_wish", "reminded"),
    *("invitation", "sign_up", "mail_token", "mail", "challenge", "passkey", "recovery_code", "identity"),
}
LATER_COLUMNS = {"verified_ms", "proven_ms", "moved_to"}


def _unproven(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Without when devices last proved who is there, which no older backup knows."""
    return {name: [re.sub(r"\('proven_ms', '\d+'\)", "", row) for row in rows] for name, rows in found.items()}


def older_rows(packed: bytes) -> bytes:
    """The dump of a table before it had those columns."""
    lines = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    places = [place for place, column in enumerate(lines[0]) if column not in LATER_COLUMNS]
    columns = {column: kind for column, kind in lines[0].items() if column not in LATER_COLUMNS}
    kept = [columns, *([line[place] for place in places] for line in lines[1:])]
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in kept))


def rewritten(made: Made, target: Path, steps: Callable[[list[str]], list[str]], without: set[str]) -> Path:
    """The backup as another version would have written it; an older one without what it did not know."""
    manifest = archive.verified(made.file)
    counts = {name: count for name, count in manifest.rows.items() if name not in without}
    with archive.writing(target) as writer:
        for name, content in archive.parts(made.file):
            if name not in {"sums.txt", "manifest.json", *(f"rows/{table}.jsonl.gz" for table in without)}:
                body = content.read()
                writer.add(name, older_rows(body) if without and name.endswith(".jsonl.gz") else body)
        writer.finish(msgspec.structs.replace(manifest, steps=steps(manifest.steps), rows=counts))
    return target


def test_a_backup_of_a_newer_version_is_refused_with_nothing_touched(made: Made, empty: Empty, tmp_path: Path) -> None:
    newer = rewritten(made, tmp_path / "newer.tar", lambda steps: [*steps, "9001_flying"], set())
    target = empty("embedded")
    with pytest.raises(RestoreRefused, match="9001_flying"):
        restored(target, newer)
    assert {path.name for path in target.data.iterdir()} == {"in-use.lock"}


def test_a_backup_of_an_older_version_is_brought_to_this_ones_shape(
    made: Made, options: ServiceOptions, tmp_path: Path
) -> None:
    older = rewritten(made, tmp_path / "older.tar", lambda steps: steps[: steps.index("0004_leaving")], LATER_TABLES)
    target = with_ring_of(options, made.source)
    restored(target, older)
    assert _unproven(contents(target)) == _unproven(contents(made.source))
    assert Rows(target).count("restored_space") == 1


def test_without_keys_here_or_in_the_backup_it_is_refused(made: Made, empty: Empty, tmp_path: Path) -> None:
    bare = tmp_path / "bare.tar"
    asyncio.run(save(settings_of(made.source), bare, None))
    target = empty("embedded")
    with pytest.raises(KeysMissing, match="which are neither in it nor here"):
        restored(target, bare)
    target.data.mkdir(exist_ok=True)
    (target.data / "keys.json").write_text(new_ring())
    with pytest.raises(KeysMissing, match="which are neither in it nor here"):
        restored(target, bare)
    (target.data / "keys.json").write_text(json.dumps(ring_of(made.source)))
    restored(target, bare)
    assert contents(target) == contents(made.source)


def test_replacing_gives_up_what_was_there_and_keeps_every_key(
    somebodys: tuple[ServiceOptions, tuple[Any, ...]], made: Made
) -> None:
    options, _ = somebodys
    old = ring_of(options)["keys"]
    target = with_ring_of(options, made.source)
    restored(target, made.file, replace=True)
    assert contents(target) == contents(made.source)
    assert Rows(target).count("gone_space") == 1
    if "KARMAN_KEYS" not in target.environment:
        assert ring_of(target)["keys"] == [*old, *ring_of(made.source)["keys"]]

    async def story() -> None:
        async with opened(target) as guest:
            await guest.work("remove-gone-pictures", now_ms())

    asyncio.run(story())
    assert Kept(target).all() == Kept(made.source).all()


# ---------------------------------------------------------------- in words


def test_commands_say_in_one_line_what_stops_them(made: Made, empty: Empty, tmp_path: Path) -> None:
    target = empty("embedded")
    assert "There is no store" in run(target, "backup", str(tmp_path / "new.tar")).line
    assert "exists already" in run(made.source, "backup", str(made.file)).line
    assert "KARMAN_BACKUP_PASSPHRASE" in run(target, "restore", str(made.file)).line
    assert "not open with this passphrase" in run(with_passphrase(target, "nonsense"), "restore", str(made.file)).line
    assert "No such file" in run(target, "restore", str(tmp_path / "nowhere.tar")).line
    assert not (target.data / "karman.sqlite3").exists()


def test_a_short_passphrase_is_refused_and_leaves_no_file(made: Made, tmp_path: Path) -> None:
    with pytest.raises(PassphraseWrong, match="at least"):
        asyncio.run(save(settings_of(made.source), tmp_path / "short.tar", "short"))
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_an_older_shape_is_not_backed_up(options: ServiceOptions, tmp_path: Path) -> None:
    run(options, "migrate")
    Rows(options).sql("DELETE FROM tortoise_migrations WHERE name >= '0004' RETURNING name")
    with pytest.raises(BackupRefused, match="migrate"):
        asyncio.run(save(settings_of(options), tmp_path / "old.tar", None))


# ---------------------------------------------------------------- broken off


@pytest.fixture
def long(made: Made, tmp_path: Path) -> Path:
    """A backup with so many pictures that there is time to pull the plug."""
    target, manifest = tmp_path / "long.tar", archive.verified(made.file)
    with archive.writing(target) as writer:
        for name, content in archive.parts(made.file):
            data = content.read()
            for number in range(300) if name.startswith("pictures/") else ():
                writer.add(f"{name}{number}", data)
            if name not in {"sums.txt", "manifest.json"}:
                writer.add(name, data)
        writer.finish(manifest)
    return target


def test_a_restore_killed_halfway_is_known_as_such_and_can_be_done_again(
    made: Made, long: Path, options: ServiceOptions
) -> None:
    target = with_ring_of(options, made.source)
    run(target, "migrate") if "KARMAN_KEYS" in target.environment else None
    for _ in range(10):
        if _killed_halfway(target, long):
            break
    for name in ("serve", "migrate", "backup"):
        more = [str(long.with_name("never.tar"))] if name == "backup" else []
        assert "half restored" in run(target, name, *more).line
    assert "half restored" in run(target, "check").said
    restored(target, made.file)
    assert contents(target) == contents(made.source)

    async def story() -> None:
        async with opened(target) as guest:
            assert await guest.keep()

    asyncio.run(story())


def _killed_halfway(options: ServiceOptions, file: Path) -> bool:
    """Start a restore and kill it between its rows and its end; tells whether that came off."""
    process = launch(options.words("restore", str(file), "--replace"), options.env())
    while process.poll() is None and not _is_marked(options):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return _is_marked(options)


def _is_marked(options: ServiceOptions) -> bool:
    if not (options.environment.get("KARMAN_DATABASE") or (options.data / "karman.sqlite3").exists()):
        return False
    try:
        return Rows(options).count("store_fact", "name = 'restoring'") == 1
    except Exception:
        # Between two shapes there is no such table, or nobody may look.
        return False


# ---------------------------------------------------------------- the page for operators


COMMAND = re.compile(r"^    \.venv/bin/python -m aggregator (.+)$", re.MULTILINE)


def test_every_command_on_the_page_for_operators_does_what_it_is_there_for(made: Made, tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "operating.md").read_text(encoding="utf-8")
    shutil.copytree(made.source.data, tmp_path / "lib" / "karman")
    (tmp_path / "backups").mkdir()
    environment = {**os.environ, "KARMAN_BACKUP_PASSPHRASE": PASSPHRASE}
    said: dict[str, str] = {}
    for line in COMMAND.findall(page):
        words = (
            line.replace("/var/", f"{tmp_path}/").replace("KEY", said.get("keys show", "").partition(" ")[0]).split()
        )
        done = ended(words, environment)
        name = " ".join(words[: 1 + (words[0] == "keys")])
        said[name] = done.said
        # Nothing has been sealed anew here, since the service does not run.
        needed = name == "keys drop"
        assert done.status == needed, (line, done.errors)
        assert ("2 cards and 1 pictures are still sealed" in done.errors) == needed, done.errors
    assert said.keys() == {"backup", "restore", "check", "keys unpack", "keys rotate", "keys show", "keys drop"}
