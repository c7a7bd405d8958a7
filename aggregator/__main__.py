"""The commands: serve, migrate, check, keys, patterns, partner, backup, restore."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import uvicorn

from aggregator import app, checkup, db, settings
from aggregator.backup import commands as backup_commands
from aggregator.backup import rings
from aggregator.crypto import KeysUnreadable
from aggregator.errors import Unavailable
from aggregator.merchants import commands as merchant_commands
from aggregator.merchants.commands import AskedWrong
from aggregator.merchants.directory import Directory
from aggregator.partners import commands as partner_commands
from aggregator.schema import MigrationLosesRows, StoreIsNewer
from aggregator.settings import Settings, SettingsWrong
from aggregator.store import HalfRestored, KeysMissing, StoreInUse

STOPPERS = (
    *(SettingsWrong, AskedWrong, KeysUnreadable, KeysMissing, StoreIsNewer, MigrationLosesRows, HalfRestored),
    *(StoreInUse, FileExistsError, rings.KeysRefused, *backup_commands.STOPPERS),
)
GRACE_S = 5

Asked = Mapping[str, Any]
"""What was typed after a command's name."""


class Server(uvicorn.Server):
    """uvicorn, which says where it answers and lets go of live streams when it stops."""

    def __init__(self, config: uvicorn.Config, service: app.Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._service.settings.address, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.pokes.close()
        await super().shutdown(sockets)


async def _prepare(chosen: Settings) -> None:
    async with app.opened_store(chosen, app.ring(chosen)):
        pass


def _bound(chosen: Settings) -> socket.socket:
    """The socket to listen on; raises SettingsWrong."""
    try:
        family, *_, address = socket.getaddrinfo(chosen.host, chosen.port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise SettingsWrong(f"--host {chosen.host} --port {chosen.port}: {error.strerror}.") from error
    return bound


def serve(chosen: Settings, _: Asked) -> int:
    """Create and migrate what is needed, then answer until told to stop."""
    asyncio.run(_prepare(chosen))
    config = uvicorn.Config(
        app=lambda: None,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(chosen.trusted_proxy),
        forwarded_allow_ips=chosen.trusted_proxy or None,
        timeout_graceful_shutdown=GRACE_S,
    )
    listening = _bound(chosen)
    service = app.Service(replace(chosen, port=listening.getsockname()[1]))
    config.app = service.app()
    Server(config, service).run(sockets=[listening])
    return 0


def migrate(chosen: Settings, _: Asked) -> int:
    """Bring the store to this version's shape and stop."""
    asyncio.run(_prepare(chosen))
    print("The store has this version's shape.")
    return 0


def check(chosen: Settings, _: Asked) -> int:
    """Say in plain words what works and what is missing; 1 when something that is needed does not work."""
    findings = asyncio.run(checkup.look(chosen))
    for finding in findings:
        print(finding)
    return 0 if all(finding.works or finding.optional for finding in findings) else 1


def keys(chosen: Settings, asked: Asked) -> int:
    """Print a new key ring, rotate the one in use, or drop an old key from it."""
    print(asyncio.run(rings.carry_out(chosen, asked)))
    return 0


def patterns(chosen: Settings, asked: Asked) -> int:
    """Show what shops' numbers look like, withdraw some of it, or reinstate it."""
    print(asyncio.run(_patterns(chosen, asked)))
    return 0


async def _patterns(chosen: Settings, asked: Asked) -> str:
    async with app.opened_store(chosen, app.ring(chosen)) as store:
        return await merchant_commands.carry_out(store, Directory.read(), asked)


def partner(chosen: Settings, asked: Asked) -> int:
    """Let a shop in, approve what it claims to be, or shut it out."""
    print(asyncio.run(_partner(chosen, asked)))
    return 0


async def _partner(chosen: Settings, asked: Asked) -> str:
    async with app.opened_store(chosen, app.ring(chosen)) as store:
        return await partner_commands.carry_out(store, chosen, Directory.read(), asked)


def backup(chosen: Settings, asked: Asked) -> int:
    """Write rows, pictures and, under a passphrase, keys to one file, while the service runs."""
    print(asyncio.run(backup_commands.backup(chosen, asked)))
    return 0


def restore(chosen: Settings, asked: Asked) -> int:
    """Make an empty store what a backup holds, while the service does not run."""
    print(asyncio.run(backup_commands.restore(chosen, asked)))
    return 0


COMMANDS: dict[str, Callable[[Settings, Asked], int]] = {
    "serve": serve,
    "migrate": migrate,
    "check": check,
    "keys": keys,
    "patterns": patterns,
    "partner": partner,
    "backup": backup,
    "restore": restore,
}
ARGUMENTS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "patterns": merchant_commands.add_arguments,
    "partner": partner_commands.add_arguments,
    "keys": rings.add_arguments,
    "backup": backup_commands.add_backup_arguments,
    "restore": backup_commands.add_restore_arguments,
}
"""What a command takes beside the settings."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a foreseen failure is one line on stderr and the status 1."""
    # What libraries say in passing would bury the one line that a start prints.
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("karman").setLevel(logging.INFO)
    # Rows, pictures and keys are nobody else's on this computer.
    os.umask(0o077)
    parser = argparse.ArgumentParser(
        prog="python -m aggregator", description="Karman: one pocket for every loyalty card."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(COMMANDS))
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=(command.__doc__ or "").partition(".")[0])
        settings.add_options(one)
        if name in ARGUMENTS:
            ARGUMENTS[name](one)
    options = vars(parser.parse_args(arguments))
    try:
        return COMMANDS[options["command"]](settings.read(options), options)
    except STOPPERS as error:
        print(error, file=sys.stderr)
    except Unavailable as error:
        print(error.detail, file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except db.STORE_ERRORS as error:
        print(f"The store cannot be opened: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
