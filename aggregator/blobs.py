"""Pictures as named bytes: in a folder, or in an S3-compatible store. What `put` has answered is on stable storage."""

import asyncio
import errno
import fcntl
import logging
import os
import re
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import BotoCoreError, ClientError

from aggregator.errors import Unavailable
from aggregator.settings import Settings, SettingsWrong

KEY = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)*")
PREFIX = re.compile(r"(?:[a-z0-9-]+/)*[a-z0-9-]*")
S3_ADDRESS = re.compile(
    r"s3://(?P<key>[^:@/]+):(?P<secret>[^:@/]+)@(?P<host>[\w.-]+(:\d{1,5})?)/(?P<bucket>[\w.-]+)/?(\?(?P<query>.*))?"
)

log = logging.getLogger(__name__)


class StoreFull(Unavailable):
    """Nothing was written, since the disk, the quota or the file size limit is used up."""

    def __init__(self) -> None:
        super().__init__("store-full", "There is no room left to keep this.", retry_after_s=60)


class Blobs(Protocol):
    """Bytes under keys like `pictures/<space>/<id>`: parts of a-z, 0-9 and - between slashes.

    Every call raises ValueError for another key, StoreFull when there is no room, and Unavailable
    `store-unavailable` when the store does not answer or refuses.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`, whole or not at all, replacing what was there; durable on return."""

    async def get(self, key: str) -> bytes | None:
        """The bytes under `key`, or None."""

    async def delete(self, key: str) -> None:
        """Remove `key`; one that is not there is no error."""

    def list(self, prefix: str = "") -> AsyncIterator[str]:
        """Every key that starts with `prefix`, in no particular order."""

    async def check(self) -> None:
        """Write, read and remove a probe: raises what a picture would meet."""
        key, data = f"check/{secrets.token_hex(8)}", secrets.token_bytes(32)
        await self.put(key, data)
        same = await self.get(key) == data
        await self.delete(key)
        if not same:
            raise unavailable("a probe came back changed")


def open_blobs(settings: Settings) -> Blobs:
    """The store that `settings` names; raises SettingsWrong for an address that cannot be read."""
    return S3Blobs(settings.blobs) if settings.blobs else FolderBlobs(settings.data / "pictures")


def valid(pattern: re.Pattern[str], text: str) -> str:
    """`text` as it is. Raises ValueError when it does not match `pattern` from end to end."""
    if not pattern.fullmatch(text):
        raise ValueError(f"not a blob key: {text!r}")
    return text


def unavailable(reason: str) -> Unavailable:
    log.error("The picture store fails: %s", reason)
    return Unavailable("store-unavailable", "The picture store does not answer just now.", retry_after_s=10)


class FolderBlobs(Blobs):
    """One file per key under `root`.

    A file is written and fsynced under `.parts`, then renamed, and its folder fsynced: a power cut leaves the old
    bytes or the new ones. The name ends in `.blob`, so that `a` and `a/b` can both be keys.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parts = root / ".parts"
        self._durable: set[Path] = set()
        self.parts.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(self.parts)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._put, self._path(key), data)

    async def get(self, key: str) -> bytes | None:
        return await asyncio.to_thread(read, self._path(key))

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(remove, self._path(key))

    async def list(self, prefix: str = "") -> AsyncIterator[str]:
        folder = self.root / valid(PREFIX, prefix).rpartition("/")[0]
        for path in await asyncio.to_thread(files, folder):
            key = str(path.relative_to(self.root).with_suffix(""))
            if key.startswith(prefix):
                yield key

    def _path(self, key: str) -> Path:
        return self.root / f"{valid(KEY, key)}.blob"

    def _put(self, path: Path, data: bytes) -> None:
        with storage_errors(), part(self.parts) as (name, descriptor):
            write(descriptor, data)
            self._make_durable(path.parent)
            name.rename(path)
            sync_folder(path.parent)

    def _make_durable(self, folder: Path) -> None:
        """Create `folder` up to the root's own parent, each entry fsynced in the folder that holds it.

        Folders once seen through are remembered: one found existing may be another thread's, not yet synced.
        """
        if folder in self._durable and folder.exists():
            return
        if folder != self.root:
            self._make_durable(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)
        self._durable.add(folder)


def files(folder: Path) -> list[Path]:
    with storage_errors():
        return list(folder.rglob("*.blob"))


def read(path: Path) -> bytes | None:
    with storage_errors(), suppress(FileNotFoundError, NotADirectoryError):
        return path.read_bytes()
    return None


def remove(path: Path) -> None:
    with storage_errors(), suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
        sync_folder(path.parent)


@contextmanager
def part(folder: Path) -> Iterator[tuple[Path, int]]:
    """A new locked file to write and rename; whatever is left of it goes."""
    path = folder / secrets.token_hex(16)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path, descriptor
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(parts: Path) -> None:
    """Remove what interrupted writes left. A part that is still locked belongs to a running process."""
    for path in parts.iterdir():
        with suppress(BlockingIOError, FileNotFoundError), path.open("rb") as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


@contextmanager
def storage_errors() -> Iterator[None]:
    """A file system's refusal as a problem."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            log.error("The disk is full: %s", error)
            raise StoreFull from error
        raise unavailable(str(error)) from error


@dataclass(frozen=True, slots=True)
class S3Address:
    """What `s3://key:secret@host:port/bucket?tls=0&region=us-east-1` says; key and secret are percent-encoded."""

    endpoint: str
    bucket: str
    region: str
    key: str
    secret: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises SettingsWrong, which does not repeat the secret."""
        found = S3_ADDRESS.fullmatch(url)
        if found is None:
            raise SettingsWrong("--blobs needs an address that looks like s3://key:secret@host:port/bucket.")
        query = dict(parse_qsl(found["query"] or ""))
        scheme = "https" if query.get("tls") == "1" else "http"
        key, secret = unquote(found["key"]), unquote(found["secret"])
        return cls(f"{scheme}://{found['host']}", found["bucket"], query.get("region", "us-east-1"), key, secret)


class S3Blobs(Blobs):
    """One object per key in one bucket, which is created when it is missing and may be created."""

    THREADS = 16

    def __init__(self, url: str) -> None:
        self.address = S3Address.parse(url)
        self._client = s3_client(self.address, self.THREADS)
        self._threads = ThreadPoolExecutor(self.THREADS, "s3")
        self._bucket_seen = False
        self._lock = threading.Lock()

    async def put(self, key: str, data: bytes) -> None:
        await self._run(self._client.put_object, Key=valid(KEY, key), Body=data)

    async def get(self, key: str) -> bytes | None:
        found: bytes | None = await self._run(self._read, Key=valid(KEY, key))
        return found

    async def delete(self, key: str) -> None:
        await self._run(self._client.delete_object, Key=valid(KEY, key))

    async def list(self, prefix: str = "") -> AsyncIterator[str]:
        more: dict[str, str] = {"Prefix": valid(PREFIX, prefix)}
        while more:
            page = await self._run(self._client.list_objects_v2, **more)
            for entry in page.get("Contents", []):
                yield entry["Key"]
            token = page.get("NextContinuationToken")
            more = {"Prefix": prefix, "ContinuationToken": token} if token else {}

    async def _run(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """Call the blocking client in a thread of its own pool, so that a slow store cannot stall other work."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._call(call, arguments))

    def _call(self, call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        with s3_errors():
            self._ensure_bucket()
            return call(Bucket=self.address.bucket, **arguments)

    def _read(self, **arguments: Any) -> bytes | None:
        try:
            body: bytes = self._client.get_object(**arguments)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        return body

    def _ensure_bucket(self) -> None:
        with self._lock:
            if not self._bucket_seen:
                ensure_bucket(self._client, self.address)
                self._bucket_seen = True


def s3_client(address: S3Address, connections: int) -> Any:
    """A boto3 client (thread-safe) that gives up on a silent store within seconds and retries what may be retried."""
    # Loaded here: it takes a fifth of a start, and who keeps pictures in a folder needs none of it.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(
        "s3",
        endpoint_url=address.endpoint,
        region_name=address.region,
        aws_access_key_id=address.key,
        aws_secret_access_key=address.secret,
        config=Config(
            connect_timeout=3,
            read_timeout=10,
            max_pool_connections=connections,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"},
        ),
    )


def ensure_bucket(client: Any, address: S3Address) -> None:
    """Create the bucket if the store says there is none. A key that may not look (403) may still write."""
    try:
        client.head_bucket(Bucket=address.bucket)
    except ClientError as error:
        if status_of(error) == HTTPStatus.NOT_FOUND:
            create_bucket(client, address)
        elif status_of(error) != HTTPStatus.FORBIDDEN:
            raise


def create_bucket(client: Any, address: S3Address) -> None:
    # us-east-1 is the one region that S3 refuses to hear named here.
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": address.region}}
    with suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=address.bucket, **({} if address.region == "us-east-1" else elsewhere))


def status_of(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


@contextmanager
def s3_errors() -> Iterator[None]:
    """The store's refusal or silence as a problem; 507 and the quota codes mean that it is full."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if status_of(error) == HTTPStatus.INSUFFICIENT_STORAGE or "Quota" in code or "StorageFull" in code:
            log.error("The picture store is full: %s", error)
            raise StoreFull from error
        raise unavailable(str(error)) from error
    except BotoCoreError as error:
        raise unavailable(str(error)) from error
