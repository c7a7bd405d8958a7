"""Every setting once. Nobody else reads the environment or the command line."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose.

    data             folder of the embedded default: rows, pictures and the key ring live under it
    database         `postgres://user:password@host:port/name`, or empty for SQLite under `data`
    blobs            `s3://key:secret@host:port/bucket` (`?tls=1` for https), or empty for a folder under `data`
    keys             the key ring's JSON, needed with `database`; empty means the file `data/keys.json`
    public_url       where people reach the service, e.g. `https://cards.example`; decides cookies and origins
    trusted_proxies  addresses whose X-Forwarded-For and X-Forwarded-Proto are believed
    workers          recognition processes
    queue            photos that may wait for a worker before the answer is 503
    web              folder with the built PWA
    """

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    database: str = ""
    blobs: str = ""
    keys: str = ""
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    workers: int = 2
    queue: int = 8
    web: Path = field(default_factory=lambda: Path(__file__).resolve().parent.parent / "web" / "dist")

    @property
    def address(self) -> str:
        """The address to print and to compare origins with, without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether people come over https, so that cookies may be `Secure` and `__Host-`."""
        return urlsplit(self.address).scheme == "https"
