"""The file of a backup: a plain tar of parts, `sums.txt` with the SHA-256 of each, and last a manifest that vouches for
the sums. It is written and read in one go, so that its size costs no memory.
"""

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

FORMAT: Final = "karman-backup/1"
MANIFEST, SUMS = "manifest.json", "sums.txt"
CHUNK_BYTES = 1_000_000
MAX_MANIFEST_BYTES = 10_000_000


class ArchiveDamaged(Exception):
    """The file is no backup, is cut short or was changed; the message says where."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself.

    steps    the store's shape: the migrations it had
    epoch    the store's epoch, in which devices have pulled
    keys     ids of the keys that boxes were sealed with; `has_keys` tells whether the ring is in the file, too
    rows     how many, by table
    missing  how many pictures had a row and no bytes
    sums     SHA-256 of `sums.txt`
    """

    made_at: str
    steps: list[str]
    epoch: str
    keys: list[str]
    rows: dict[str, int]
    pictures: int
    missing: int
    has_keys: bool = False
    sums: str = ""
    format: Literal["karman-backup/1"] = FORMAT


class Writer:
    """Writes parts in the order they come."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.GNU_FORMAT)  # noqa: SIM115 - closed in finish
        self._sums = tempfile.TemporaryFile()  # noqa: SIM115 - closed in finish

    def add(self, name: str, data: bytes) -> None:
        """A part that is in memory."""
        self.add_file(name, io.BytesIO(data))

    def add_file(self, name: str, file: IO[bytes]) -> None:
        """A part from a file, whole."""
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        digest = _digest(file)
        self._sums.write(f"{digest}  {name}\n".encode())
        self._put(name, file, size)

    def finish(self, manifest: Manifest) -> None:
        """The end of the file, which makes it a backup."""
        size = self._sums.tell()
        self._sums.seek(0)
        vouched = msgspec.structs.replace(manifest, sums=_digest(self._sums))
        self._put(SUMS, self._sums, size)
        body = msgspec.json.format(msgspec.json.encode(vouched))
        self._put(MANIFEST, io.BytesIO(body), len(body))
        self._tar.close()
        self._sums.close()

    def _put(self, name: str, file: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        file.seek(0)
        self._tar.addfile(entry, file)
        # The module would remember every entry, and there may be millions.
        self._tar.members.clear()  # type: ignore[attr-defined]


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new file that is there under its name only when it is whole and durable; raises FileExistsError."""
    if path.exists():
        raise FileExistsError(f"{path} exists already; a backup never replaces a file.")
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield Writer(file)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def parts(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and content of each part in order; a content is to be read before the next is asked for. Raises
    ArchiveDamaged.
    """
    try:
        with tarfile.open(path, "r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None:
                    raise ArchiveDamaged(f"{path}: {entry.name} is not a file.")
                yield entry.name, content
                tar.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveDamaged(f"{path} is damaged or is not a backup: {error}.") from error


def verified(path: Path) -> Manifest:
    """The manifest of a file whose every part is as it was written; raises ArchiveDamaged, or OSError."""
    with tempfile.TemporaryFile() as seen:
        sums = manifest = None
        for name, content in parts(path):
            if manifest is not None:
                raise ArchiveDamaged(f"{path} goes on after its end.")
            if name == SUMS:
                sums = _checked_sums(path, seen, content)
            elif name == MANIFEST:
                manifest = _manifest(path, content.read(MAX_MANIFEST_BYTES))
            else:
                seen.write(f"{_digest(content)}  {name}\n".encode())
    if manifest is None:
        raise ArchiveDamaged(f"{path} is cut short: its manifest, which comes last, is missing.")
    if manifest.sums != sums:
        raise ArchiveDamaged(f"{path} is damaged: {SUMS} is not the one that its manifest vouches for.")
    return manifest


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _checked_sums(path: Path, seen: IO[bytes], content: IO[bytes]) -> str:
    """The SHA-256 of the sums, which must be those of the parts seen; raises ArchiveDamaged, which names the part."""
    seen.seek(0)
    digest = hashlib.sha256()
    for said in content:
        digest.update(said)
        if seen.readline() != said:
            name = said.decode(errors="replace").partition("  ")[2].strip()
            raise ArchiveDamaged(f"{path} is damaged: {name} is not as it was written.")
    if seen.readline():
        raise ArchiveDamaged(f"{path} is damaged: it has parts that {SUMS} does not know.")
    return digest.hexdigest()


def _manifest(path: Path, body: bytes) -> Manifest:
    try:
        return msgspec.json.decode(body, type=Manifest)
    except msgspec.ValidationError as error:
        raise ArchiveDamaged(f"{path} is of a form that this version does not read: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"{path} is damaged: its manifest cannot be read.") from error
