"""The law of sync: whatever happens to devices, network and server, a device that has pulled holds what a fresh one
gets, all devices agree in the end, and nothing acknowledged is lost or counted twice.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.crypto import new_ring
from tests.inside import quick_passwords
from tests.law import devices, machine, planted
from tests.law.book import Broken
from tests.law.machine import RARE, STEPS, Bench, Tally
from tests.law.pair import Pair
from tests.law.server import Server, crashing
from tests.law.world import History
from tests.service import ServiceOptions

# What a hundred histories must have met to be worth anything.
MET = {
    "answer lost", "request lost", "late", "repeated", "crash before commit", "crash after commit",
    "card-gone", "client-forked", "device-revoked", "gap", "invalid", "other-account", "restored",
}  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The devices' program."""
    return devices.bundled(tmp_path_factory.mktemp("devices"))


def on_store(profile: str, folder: Path, request: pytest.FixtureRequest) -> ServiceOptions:
    """A store of the profile; pictures stay in a folder, since histories have none."""
    if profile == "embedded":
        return ServiceOptions(folder)
    database = request.getfixturevalue("postgres_server").create_database()
    return ServiceOptions(folder, environment={"KARMAN_DATABASE": database, "KARMAN_KEYS": new_ring()})


@pytest.fixture
def bench(profile: str, program: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Devices and a server in this process."""
    options = on_store(profile, tmp_path, request)
    with quick_passwords(), crashing(), machine.bench(Server(options), program) as made:
        yield made


def assert_lawful(tally: Tally, histories: int) -> None:
    if tally.broken:
        raise tally.broken[0]
    assert sum(steps >= STEPS for steps in tally.steps) >= histories


def test_no_history_breaks_the_law(bench: Bench, profile: str, is_proof: bool) -> None:
    # On PostgreSQL a history takes twice as long.
    histories = 1_000 if is_proof else {"embedded": 70, "grown": 30}[profile]
    assert_lawful(machine.run(bench, histories, derandomize=not is_proof), histories)
    assert bench.network.met.keys() >= MET


def test_no_history_breaks_the_law_on_two_processes(
    program: Path, tmp_path: Path, request: pytest.FixtureRequest, is_proof: bool
) -> None:
    histories = 100 if is_proof else 4
    rare = tuple(what for what in RARE if what is not machine.restored)
    with machine.bench(Pair(on_store("grown", tmp_path, request)), program, rare) as made:
        assert_lawful(machine.run(made, histories, derandomize=not is_proof), histories)


async def a_move_undone_by_a_restore(history: History) -> None:
    await history.found(0)
    await history.back_up()
    await history.use(0, 0)
    await history.move(0, 0)
    await history.exchange_at_once(0)
    await history.restore()


async def an_edit_of_a_card_moved_so_long_ago_that_its_trace_is_gone(history: History) -> None:
    await history.found(0)
    await history.write(1, 0)
    await history.move(0, 0)
    await history.exchange(0, "push", "")
    await history.purge(500)


@pytest.mark.parametrize(
    "story",
    [a_move_undone_by_a_restore, an_edit_of_a_card_moved_so_long_ago_that_its_trace_is_gone],
    ids=lambda story: story.__name__,
)
def test_a_card_is_in_one_space_after(story: planted.Story, program: Path, tmp_path: Path) -> None:
    server = Server(ServiceOptions(tmp_path))
    with quick_passwords(), crashing(), machine.bench(server, program) as bench:
        machine.tell(bench, story)


@pytest.mark.parametrize(("plant", "story", "rare"), planted.PLANTS)
def test_a_planted_fault_is_noticed(
    plant: planted.Plant,
    story: planted.Story,
    rare: tuple[machine.Rare, ...],
    program: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    is_proof: bool,
) -> None:
    # SQLite has one writer at a time, whatever we lock.
    profile = "grown" if plant is planted.the_version_bumped_without_the_lock else "embedded"
    server = Server(on_store(profile, tmp_path, request))
    opened = machine.bench(server, program, rare)
    with quick_passwords(), crashing(), opened as bench, pytest.MonkeyPatch.context() as patch:
        machine.tell(bench, story)
        plant(patch)
        with pytest.raises(Broken):
            machine.tell(bench, story)
        if is_proof:
            tally = machine.run(bench, 500)
            assert any(isinstance(error, Broken) for error in tally.broken)
            print(f"{plant.__name__}: met after {len(tally.steps)} histories")
