"""What the operator sees of the patterns, and how they withdraw them."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aggregator import db
from aggregator.codes import FORMATS
from aggregator.merchants import known
from aggregator.merchants.directory import Directory
from aggregator.merchants.known import ANY, NUMBER, Withdrawal
from aggregator.merchants.learning import MIN_ACCOUNTS
from aggregator.merchants.patterns import MAX_PREFIX, Pattern

LIST, WITHDRAW, REINSTATE = "list", "withdraw", "reinstate"
HEAD = ("shop", "format", "length", "begins", "check", "share", "accounts", "source")
NONE_YET = f"Nothing is known yet: it takes {MIN_ACCOUNTS} people with a card of the same shop, each for a week."


class AskedWrong(Exception):
    """The command cannot be carried out; the message says why."""


def add_arguments(parser: ArgumentParser) -> None:
    """What follows `patterns`."""
    parser.add_argument("action", nargs="?", default=LIST, choices=(LIST, WITHDRAW, REINSTATE))
    parser.add_argument("slug", nargs="?", default="", help="the shop, as `patterns list` writes it")
    parser.add_argument("--format", default=ANY, metavar="…", help=f"only this symbology, or {NUMBER} for printed ones")
    parser.add_argument("--length", default="0", metavar="…", help="only numbers of so many characters")
    parser.add_argument("--prefix", default="", metavar="…", help="only what begins with these digits")


async def carry_out(store: db.Store, directory: Directory, asked: Mapping[str, Any]) -> str:
    """Do what was asked and say what came of it; raises AskedWrong."""
    if asked["action"] == LIST:
        return await listing(store, directory)
    rule = _rule(directory, asked)
    if asked["action"] == WITHDRAW:
        count = await known.withdraw(rule, directory)
        return f"Withdrawn: {_words(rule)}. Patterns that went now: {count}; processes that run notice within an hour."
    if not await known.reinstate(rule, directory):
        raise AskedWrong(f"Nothing is withdrawn of {_words(rule)}.")
    return f"Reinstated: {_words(rule)}. It is back after the next count, within a day."


def _rule(directory: Directory, asked: Mapping[str, Any]) -> Withdrawal:
    merchant = directory.get(asked["slug"])
    if merchant is None:
        raise AskedWrong(f"The directory has no shop {asked['slug']!r}.")
    if asked["format"] not in {ANY, NUMBER, *FORMATS}:
        raise AskedWrong(f"--format needs {NUMBER} or one of {', '.join(sorted(FORMATS))}.")
    if not re.fullmatch("[0-9]{1,4}", asked["length"]):
        raise AskedWrong("--length needs a number.")
    if not re.fullmatch(f"[0-9]{{0,{MAX_PREFIX}}}", asked["prefix"]):
        raise AskedWrong(f"--prefix needs up to {MAX_PREFIX} digits.")
    return Withdrawal(merchant.slug, asked["format"], int(asked["length"]), asked["prefix"])


def _words(rule: Withdrawal) -> str:
    parts = [f"{rule.slug}, {'all formats' if rule.format == ANY else rule.format}"]
    parts += [f"{rule.length} characters"] if rule.length else []
    parts += [f"beginning with {rule.prefix}"] if rule.prefix else []
    return ", ".join(parts)


async def listing(store: db.Store, directory: Directory) -> str:
    """All patterns as a table, and what is withdrawn."""
    patterns = sorted(await known.read(store, directory), key=lambda p: (p.slug, p.format or "", p.length, p.prefix))
    lines = list(_aligned([HEAD, *(_cells(pattern) for pattern in patterns)])) if patterns else [NONE_YET]
    lines += [f"Withdrawn: {_words(rule)}." for rule in await known.withdrawals(store, directory)]
    return "\n".join(lines)


def _cells(pattern: Pattern) -> tuple[str, ...]:
    return (
        pattern.slug,
        known.written(pattern.format),
        str(pattern.length),
        pattern.prefix or "-",
        pattern.check or "-",
        f"{pattern.share:.0%}",
        str(pattern.accounts or "-"),
        pattern.source,
    )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
