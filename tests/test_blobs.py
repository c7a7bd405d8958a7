"""What every picture store promises, tried on a folder and on a real S3 store; then what only one of them can show."""

import asyncio
import errno
import os
import resource
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.blobs import Blobs, FolderBlobs, S3Blobs, StoreFull, open_blobs
from aggregator.errors import Unavailable
from aggregator.settings import Settings, SettingsWrong
from tests.servers import Command, S3Server, seaweedfs

REPOSITORY = Path(__file__).resolve().parent.parent
BAD_KEYS = ["", "/", "a/", "/a", "a//b", "../a", "a/../b", "A", "a.b", "a b", "é", "a\n", "a\\b", ".parts/a"]


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return FolderBlobs(tmp_path / "pictures")
    server: S3Server = request.getfixturevalue("s3_server")
    return S3Blobs(server.create_bucket())


async def keys(blobs: Blobs, prefix: str = "") -> list[str]:
    return sorted([key async for key in blobs.list(prefix)])


# Every store


def test_what_was_put_is_what_is_got_empty_and_large_ones_too(blobs: Blobs) -> None:
    async def story() -> None:
        for size in (0, 1, 2_000_000):
            data = secrets.token_bytes(size)
            await blobs.put(f"p/{size}", data)
            assert await blobs.get(f"p/{size}") == data

    asyncio.run(story())


def test_an_unknown_key_is_none_to_get_and_nothing_to_delete(blobs: Blobs) -> None:
    async def story() -> None:
        assert await blobs.get("p/none") is None
        await blobs.delete("p/none")
        await blobs.put("p/other", b"1")
        assert await blobs.get("p/other/below") is None
        await blobs.delete("p/other/below")
        assert await keys(blobs) == ["p/other"]

    asyncio.run(story())


def test_a_second_put_replaces_the_first(blobs: Blobs) -> None:
    async def story() -> None:
        await blobs.put("p/a", b"a longer first value")
        await blobs.put("p/a", b"second")
        assert await blobs.get("p/a") == b"second"
        assert await keys(blobs) == ["p/a"]

    asyncio.run(story())


def test_a_deleted_key_is_gone_and_its_neighbours_are_not(blobs: Blobs) -> None:
    async def story() -> None:
        for key in ("p/a", "p/a/b", "p/ab"):
            await blobs.put(key, key.encode())
        await blobs.delete("p/a")
        assert await blobs.get("p/a") is None
        assert await blobs.get("p/a/b") == b"p/a/b"
        assert await keys(blobs) == ["p/a/b", "p/ab"]

    asyncio.run(story())


def test_listing_takes_any_prefix_not_only_whole_folders(blobs: Blobs) -> None:
    async def story() -> None:
        for key in ("p/one/a", "p/one/b", "p/one-more/a", "q"):
            await blobs.put(key, b"1")
        assert await keys(blobs) == ["p/one-more/a", "p/one/a", "p/one/b", "q"]
        assert await keys(blobs, "p/one") == ["p/one-more/a", "p/one/a", "p/one/b"]
        assert await keys(blobs, "p/one/") == ["p/one/a", "p/one/b"]
        assert await keys(blobs, "p/one/a") == ["p/one/a"]
        assert await keys(blobs, "nowhere/at/all") == []

    asyncio.run(story())


def test_listing_goes_on_after_the_first_thousand(blobs: Blobs) -> None:
    async def story() -> None:
        names = [f"p/{number:04}" for number in range(1_005)]
        await asyncio.gather(*(blobs.put(name, b"1") for name in names))
        assert await keys(blobs, "p/") == names

    asyncio.run(story())


def test_forty_writers_at_once_all_find_their_bytes(blobs: Blobs) -> None:
    async def story() -> None:
        values = {f"p/{number % 7}/{number}": secrets.token_bytes(5_000) for number in range(40)}
        await asyncio.gather(*(blobs.put(key, data) for key, data in values.items()))
        assert await asyncio.gather(*(blobs.get(key) for key in values)) == list(values.values())

    asyncio.run(story())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_could_leave_the_store_is_refused_by_every_call(blobs: Blobs, key: str) -> None:
    async def story() -> None:
        for call in (blobs.put(key, b"1"), blobs.get(key), blobs.delete(key)):
            with pytest.raises(ValueError, match="not a blob key"):
                await call

    asyncio.run(story())


@pytest.mark.parametrize("prefix", ["..", "../", "/etc", "a/../b", "A", ".parts"])
def test_a_prefix_that_could_leave_the_store_is_refused(blobs: Blobs, prefix: str) -> None:
    with pytest.raises(ValueError, match="not a blob key"):
        asyncio.run(keys(blobs, prefix))


def test_the_check_passes_on_a_healthy_store_and_leaves_nothing(blobs: Blobs) -> None:
    async def story() -> None:
        await blobs.check()
        assert await keys(blobs) == []

    asyncio.run(story())


def test_slow_calls_leave_the_event_loop_free(blobs: Blobs) -> None:
    async def story() -> None:
        ticks, done = 0, asyncio.Event()

        async def tick() -> None:
            nonlocal ticks
            while not done.is_set():
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await blobs.put("p/large", bytes(20_000_000))
        done.set()
        await ticking
        assert ticks > 3

    asyncio.run(story())


# The folder


def folder_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_settings_without_an_address_mean_a_folder_under_data(tmp_path: Path) -> None:
    asyncio.run(open_blobs(Settings(data=tmp_path)).put("p/a", b"1"))
    assert folder_files(tmp_path / "pictures") == ["p/a.blob"]


def test_nobody_else_on_the_machine_may_read_the_folder(tmp_path: Path) -> None:
    asyncio.run(FolderBlobs(tmp_path / "pictures").put("p/a", b"1"))
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "pictures").rglob("*")}
    assert modes == {0}


def test_a_put_syncs_the_file_before_its_name_and_then_every_new_folder(tmp_path: Path) -> None:
    """A power cut cannot be had in a test; the order of the calls that survive one can."""
    events = traced_put(tmp_path / "pictures", "p/a")
    root = tmp_path / "pictures"
    renamed = events.index(f"rename {root / 'p/a.blob'}")
    assert events.index("fsync file") < renamed
    assert events.index(f"fsync {root}") < renamed
    assert events.index(f"fsync {tmp_path}") < renamed
    assert f"fsync {root / 'p'}" in events[renamed:]


def traced_put(root: Path, key: str) -> list[str]:
    """The fsyncs and the rename of one put, in their order."""
    script = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from aggregator.blobs import FolderBlobs\n"
        "sync = os.fsync\n"
        "def fsync(descriptor):\n"
        "    name = os.readlink(f'/proc/self/fd/{descriptor}')\n"
        "    print('fsync', name if os.path.isdir(name) else 'file'); sync(descriptor)\n"
        "os.fsync = fsync\n"
        "sys.addaudithook(lambda event, args: print('rename', args[1]) if event == 'os.rename' else None)\n"
        "asyncio.run(FolderBlobs(Path(sys.argv[1])).put(sys.argv[2], b'1'))\n"
    )
    command = [sys.executable, "-c", script, str(root), key]
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.splitlines()


def test_what_an_interrupted_write_left_is_swept_at_the_next_start(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    asyncio.run(FolderBlobs(root).put("p/a", b"kept"))
    killed_while_writing(root)
    assert len(folder_files(root)) == 2
    assert asyncio.run(FolderBlobs(root).get("p/a")) == b"kept"
    assert folder_files(root) == ["p/a.blob"]


def killed_while_writing(root: Path) -> None:
    """A process that ends by SIGKILL after its bytes are written and before the rename."""
    script = (
        "import asyncio, os, sys; from pathlib import Path; from aggregator.blobs import FolderBlobs\n"
        "Path.rename = lambda *_: os.kill(os.getpid(), 9)\n"
        "asyncio.run(FolderBlobs(Path(sys.argv[1])).put('p/a', b'changed'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(root)], cwd=REPOSITORY, check=False)
    assert done.returncode == -9


def test_a_second_process_on_the_folder_does_not_sweep_a_write_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, rename = tmp_path / "pictures", Path.rename

    def open_another_first(path: Path, target: Path) -> Path:
        FolderBlobs(root)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", open_another_first)
    asyncio.run(FolderBlobs(root).put("p/a", b"1"))
    assert folder_files(root) == ["p/a.blob"]


@pytest.fixture
def file_size_limit() -> Iterator[int]:
    """1,000 bytes for every file this process writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    yield 1_000
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_over_the_file_size_limit_the_answer_is_store_full_and_the_old_bytes_stay(
    tmp_path: Path, file_size_limit: int
) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path / "pictures")
        await blobs.put("p/a", b"small")
        with pytest.raises(StoreFull) as full:
            await blobs.put("p/a", bytes(file_size_limit + 1))
        assert (full.value.code, full.value.status) == ("store-full", 503)
        assert await blobs.get("p/a") == b"small"
        assert folder_files(blobs.root) == ["p/a.blob"]
        await blobs.put("p/b", bytes(file_size_limit))

    asyncio.run(story())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount: Command = ["mount", "-t", "tmpfs", "-o", "size=256k", "karman-test", disk]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_told_leaves_nothing_and_heals_when_room_is_made(small_disk: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(small_disk / "pictures")
        await blobs.put("p/a", bytes(150_000))
        with pytest.raises(StoreFull):
            await blobs.put("p/b", bytes(150_000))
        assert await keys(blobs) == ["p/a"]
        assert folder_files(blobs.root) == ["p/a.blob"]
        await blobs.delete("p/a")
        await blobs.put("p/b", bytes(150_000))

    asyncio.run(story())


def test_a_folder_that_cannot_be_written_is_unavailable_not_full(tmp_path: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path / "pictures")
        (blobs.root / "p").write_bytes(b"a file where a folder must be")
        with pytest.raises(Unavailable) as refused:
            await blobs.put("p/a", b"1")
        assert refused.value.code == "store-unavailable"
        assert refused.value.__cause__ is not None
        assert getattr(refused.value.__cause__, "errno", None) in {errno.EEXIST, errno.ENOTDIR}

    asyncio.run(story())


def test_a_folder_removed_under_the_running_service_comes_back_with_the_next_picture(tmp_path: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path / "pictures")
        await blobs.put("p/a", b"1")
        await blobs.delete("p/a")
        (blobs.root / "p").rmdir()
        await blobs.put("p/a", b"2")
        assert await blobs.get("p/a") == b"2"

    asyncio.run(story())


# S3


def test_settings_with_an_address_mean_s3(s3_server: S3Server, tmp_path: Path) -> None:
    blobs = open_blobs(Settings(data=tmp_path, blobs=s3_server.create_bucket()))
    asyncio.run(blobs.put("p/a", b"1"))
    assert folder_files(tmp_path) == []


def test_a_missing_bucket_is_created_at_the_first_call(s3_server: S3Server) -> None:
    assert asyncio.run(S3Blobs(s3_server.url("new-one")).get("p/a")) is None
    assert "new-one" in [bucket["Name"] for bucket in s3_server.client.list_buckets()["Buckets"]]


def test_a_wrong_secret_is_unavailable_and_is_not_shown(s3_server: S3Server, caplog: pytest.LogCaptureFixture) -> None:
    address = s3_server.create_bucket().replace(s3_server.secret, "not-the-secret")
    with pytest.raises(Unavailable) as refused:
        asyncio.run(S3Blobs(address).put("p/a", b"1"))
    assert refused.value.code == "store-unavailable"
    assert "not-the-secret" not in caplog.text + refused.value.detail
    assert "The picture store fails" in caplog.text


def test_a_store_that_is_down_is_unavailable_for_every_call() -> None:
    async def story() -> None:
        with seaweedfs() as server:
            blobs = S3Blobs(server.create_bucket())
            await blobs.put("p/a", b"1")
            server.kill()
        for call in (blobs.put("p/a", b"2"), blobs.get("p/a"), blobs.delete("p/a"), keys(blobs), blobs.check()):
            with pytest.raises(Unavailable) as refused:
                await call
            assert refused.value.code == "store-unavailable"
            assert int(refused.value.headers["Retry-After"]) > 0

    asyncio.run(story())


def test_key_and_secret_may_hold_reserved_characters_percent_encoded() -> None:
    address = S3Blobs("s3://k%2Fey:s%2Be%40cret@store.example:9000/cards?tls=1&region=eu-west-3").address
    assert (address.key, address.secret) == ("k/ey", "s+e@cret")
    assert (address.endpoint, address.bucket) == ("https://store.example:9000", "cards")
    assert address.region == "eu-west-3"


@pytest.mark.parametrize(
    "url",
    [
        "http://k:s3cret@h/b",
        "s3://h/b",
        "s3://k:s3cret@/b",
        "s3://k:s3cret@h",
        "s3://k:s3cret@h/b/c",
        "s3://k@h/b",
        "s3://k:s3cret@h:x/b",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_showing_the_secret(url: str) -> None:
    with pytest.raises(SettingsWrong, match="looks like") as refused:
        S3Blobs(url)
    assert "s3cret" not in str(refused.value)
