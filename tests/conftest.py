"""Running services on both store profiles, and the people who use them."""

import asyncio
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from playwright.sync_api import Browser

from aggregator import db
from aggregator.app import KEYS_FILE, opened_store, ring
from aggregator.crypto import new_ring
from aggregator.db import SQLITE_FILE
from aggregator.partners.carrier import Carrier
from aggregator.settings import read
from tests import launcher
from tests.browser import Phone, built_web, phone
from tests.inside import Guest
from tests.linking import Story, shop_with
from tests.servers import PostgresServer, S3Server, postgres, seaweedfs
from tests.service import Person, Running, ServiceOptions, running
from tests.stores import Rows
from tests.street import street
from tests.town import Town, inhabited

T = TypeVar("T")

PROFILES = ("embedded", "grown")
# Reading print takes half a gigabyte a process and a second a photo; the tests that are about it ask for it.
os.environ.setdefault("KARMAN_TEXT", "off")

launcher.load_once()

IS_PROOF = os.environ.get("KARMAN_PROOF") == "1"

slow_ok = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
# The same examples every time, so that a run tells of the change and not of the dice; `make proof` throws them.
settings.register_profile("default", deadline=None, derandomize=True, max_examples=25, suppress_health_check=slow_ok)
settings.register_profile("proof", deadline=None, max_examples=1_000, suppress_health_check=slow_ok)
settings.load_profile("proof" if IS_PROOF else "default")


# A file is one process's; the longest begin, so that no process is left alone with one at the end.
LONGEST = ("test_drawing", "test_browser", "test_accessibility", "test_durability")


class Kept:
    """Things made once, which end in the opposite order."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._made: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What is kept under the name; made when it is first asked for."""
        if name not in self._made:
            self._made[name] = self._stack.enter_context(make())
        return cast(T, self._made[name])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; everything else stays in order."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(scope="session")
def is_proof() -> bool:
    """Whether the long counts are asked for."""
    return IS_PROOF


@pytest.fixture(scope="session")
def kept() -> Iterator[Kept]:
    """What is dear to make and serves every file: pytest ends what belongs to a profile whenever the profile changes,
    which it does twice a file.
    """
    with ExitStack() as stack:
        yield Kept(stack)


@pytest.fixture(scope="session")
def postgres_server(kept: Kept) -> PostgresServer:
    """A real PostgreSQL."""
    return kept.once("postgres", postgres)


@pytest.fixture(scope="session")
def s3_server(kept: Kept) -> S3Server:
    """A real S3 store."""
    return kept.once("s3", seaweedfs)


@pytest.fixture(scope="session", params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    """`embedded` is SQLite and a folder; `grown` is PostgreSQL and S3."""
    return str(request.param)


@pytest.fixture
def options(profile: str, tmp_path: Path, request: pytest.FixtureRequest) -> ServiceOptions:
    """A store of the profile that nobody else uses, with this version's shape and nothing in it."""
    return _options(profile, tmp_path, request)


@pytest.fixture(scope="module")
def at(
    profile: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[Story], None]]:
    """Runs stories of somebody and a new shop at one service in this process, which carries when it is told to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Carrier, "tend", _idle)
        with street(_options(profile, tmp_path_factory.mktemp("at"), request)) as found:
            yield lambda story: found.tell(_told(found.first, story))


async def _told(guest: Guest, story: Story) -> None:
    await story(guest, await shop_with(guest))


async def _idle(self: Carrier, store: db.Store) -> None:
    await asyncio.Event().wait()


@pytest.fixture
def unshaped(profile: str, tmp_path: Path, request: pytest.FixtureRequest) -> ServiceOptions:
    """Where a store of the profile can be made; there is none yet."""
    if profile == "embedded":
        return ServiceOptions(tmp_path)
    return ServiceOptions.on_servers(tmp_path, *_addresses(request))


@pytest.fixture(scope="session")
def shaped(
    profile: str, kept: Kept, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> ServiceOptions:
    """A store that is copied and never opened: shaping one takes a second."""
    return kept.once(
        f"shaped {profile}", lambda: nullcontext(_shaped(profile, tmp_path_factory.mktemp("shaped"), request))
    )


def _shaped(profile: str, folder: Path, request: pytest.FixtureRequest) -> ServiceOptions:
    made = ServiceOptions(folder) if profile == "embedded" else ServiceOptions.on_servers(folder, *_addresses(request))
    assert launcher.ended(made.words("migrate"), made.env()).status == 0
    # A copy belongs to who opens it first.
    forget = "DELETE FROM store_fact"
    if profile == "embedded":
        Rows(made).sql(forget)
    else:
        request.getfixturevalue("postgres_server").sql(forget, database_of(made))
    return made


@pytest.fixture(scope="session")
def shape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded store that is copied, with its key ring, and opened by nobody else."""
    folder = tmp_path_factory.mktemp("shape")
    made = read({"data": str(folder)}, {})

    async def shaping() -> None:
        async with opened_store(made, ring(made)):
            pass

    asyncio.run(shaping())
    return folder


@pytest.fixture
def embedded(shape: Path, tmp_path: Path) -> ServiceOptions:
    """An embedded store that nobody else uses, with this version's shape: shaping one takes a second."""
    return ServiceOptions(Path(shutil.copytree(shape, tmp_path / "embedded")))


def database_of(options: ServiceOptions) -> str:
    """The name of the PostgreSQL database."""
    return options.environment["KARMAN_DATABASE"].rpartition("/")[2]


@pytest.fixture(scope="session")
def service(
    profile: str, kept: Kept, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Running:
    """One running service that many tests share; each brings people of its own."""
    return kept.once(
        f"service {profile}",
        lambda: running(_options(profile, tmp_path_factory.mktemp(profile), request).reading()),
    )


@pytest.fixture(scope="session")
def town(profile: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Town]:
    """One running service with a mail server and a provider that many tests share."""
    with inhabited(_options(profile, tmp_path_factory.mktemp(profile), request)) as found:
        yield found


@pytest.fixture
def person(service: Running) -> Iterator[Person]:
    """Somebody who has just signed up."""
    with Person.signed_up(service.url) as someone:
        yield someone


@pytest.fixture
def stranger(service: Running) -> Iterator[Person]:
    """Somebody else."""
    with Person.signed_up(service.url) as someone:
        yield someone


def _options(profile: str, folder: Path, request: pytest.FixtureRequest) -> ServiceOptions:
    shaped: ServiceOptions = request.getfixturevalue("shaped")
    if profile == "embedded":
        shutil.copy(shaped.data / SQLITE_FILE, folder)
        (folder / KEYS_FILE).write_text(new_ring())
        return ServiceOptions(folder)
    return ServiceOptions.on_servers(folder, *_addresses(request, database_of(shaped)))


def _addresses(request: pytest.FixtureRequest, template: str = "template1") -> tuple[str, str]:
    """A database and a bucket that nobody else uses."""
    database = request.getfixturevalue("postgres_server").create_database(template)
    return database, request.getfixturevalue("s3_server").create_bucket()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One running service with the built page; what a browser sees says nothing of the stores."""
    built_web()
    with running(ServiceOptions(tmp_path_factory.mktemp("site")).reading()) as found:
        yield found


@pytest.fixture
def guest(request: pytest.FixtureRequest, browser: Browser, site: Running) -> Iterator[Phone]:
    """Somebody's phone without an account; only with the mark `installed` it has the app for use without a network."""
    is_installed = request.node.get_closest_marker("installed") is not None
    with phone(browser, site.url, installs=is_installed) as found:
        if is_installed:
            found.installed()
        yield found


@pytest.fixture(scope="session")
def red_picture() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (64, 40), "red").save(out, "PNG")
    return out.getvalue()
