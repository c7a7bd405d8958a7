"""Stores as they may become: each package holds all of Karman's own steps and a few of the tests' behind them."""

from pathlib import Path

from aggregator import migrations

NEWEST = max(path.stem for path in Path(migrations.__path__[0]).glob("[0-9]*.py"))
AFTER_THE_OWN = [("karman", NEWEST)]


def beside_the_own(path: list[str]) -> list[str]:
    """Where a package of further steps finds Karman's own as well."""
    return [*migrations.__path__, *path]
