"""The commands `backup` and `restore`."""

import argparse
import getpass
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aggregator.backup import restore as restoring
from aggregator.backup import save as saving
from aggregator.backup.archive import ArchiveDamaged, Manifest
from aggregator.backup.passphrase import PassphraseWrong
from aggregator.backup.restore import RestoreRefused
from aggregator.backup.save import BackupRefused
from aggregator.settings import Settings

Asked = Mapping[str, Any]

STOPPERS = (ArchiveDamaged, BackupRefused, PassphraseWrong, RestoreRefused)
"""What is told in one line."""


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    """What `backup` takes."""
    parser.add_argument("file", type=Path, help="the file to write; one that exists is never replaced")
    parser.add_argument("--with-keys", action="store_true", help="put the key ring in, sealed under a passphrase")


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """What `restore` takes."""
    parser.add_argument("file", type=Path, help="a file that `backup` wrote")
    parser.add_argument("--replace", action="store_true", help="give up everything that the store holds now")


async def backup(settings: Settings, asked: Asked) -> str:
    """Write a backup and say what is in it."""
    secret = passphrase_of(settings, "Passphrase for the key ring: ") if asked["with_keys"] else None
    manifest = await saving.save(settings, asked["file"], secret)
    words = f"{asked['file']} holds {_counted(manifest)}"
    words += ", and the key ring." if manifest.has_keys else ". The key ring is not in it: keep it safe, elsewhere."
    if manifest.missing:
        words += f" {manifest.missing} pictures have a row but no bytes."
    return words


async def restore(settings: Settings, asked: Asked) -> str:
    """Restore a backup and say what came back."""
    ask = lambda: passphrase_of(settings, "Passphrase of the key ring in the backup: ")  # noqa: E731
    manifest = await restoring.restore(settings, asked["file"], ask, replace=asked["replace"])
    return f"The store holds {_counted(manifest)}, as of {manifest.made_at}."


def passphrase_of(settings: Settings, prompt: str) -> str:
    """The passphrase from the settings, or else from whoever sits there; raises PassphraseWrong where nobody does."""
    if settings.backup_passphrase:
        return settings.backup_passphrase
    if not sys.stdin.isatty():
        raise PassphraseWrong(
            "A passphrase is needed: give it as KARMAN_BACKUP_PASSPHRASE or in a file named by "
            "KARMAN_BACKUP_PASSPHRASE_FILE."
        )
    return getpass.getpass(prompt)


def _counted(manifest: Manifest) -> str:
    counts = {"accounts": manifest.rows.get("account", 0), "cards": manifest.rows.get("entry", 0)}
    counts["pictures"] = manifest.pictures
    return ", ".join(f"{count} {name}" for name, count in counts.items())
