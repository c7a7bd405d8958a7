"""What must hold of the repository's own files: nothing of one machine in them, locks that pin, words that are true."""

import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Written in pieces, as this file is searched too.
HOSTS = [
    *("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "yarn" + "pkg.com"),
    *("deb.deb" + "ian.org", "archive.ubu" + "ntu.com", "crates" + ".io", "proxy.go" + "lang.org", "ruby" + "gems.org"),
    *("un" + "pkg.com", "js" + "delivr.net", "ghcr" + ".io", "docker" + ".io", "conda" + ".anaconda.org"),
]
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|Us" + r"ers|o" + r"pt)/|(?<![\w/-])(?:\.\./)*sha" + "red/"
)


@cache
def tracked() -> list[Path]:
    """Every file that is, or would be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return [REPOSITORY / name for name in listing.split("\0") if name and (REPOSITORY / name).is_file()]


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of every match in the tracked text files."""
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "ignore")
        if pattern.search(text):
            numbered = enumerate(text.splitlines(), 1)
            name = path.relative_to(REPOSITORY)
            found += [f"{name}:{number}: {line[:120]}" for number, line in numbered if pattern.search(line)]
    return found


# Nothing of one machine


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATHS) == []


@pytest.mark.parametrize("text", ["see /wo" + "rk/main", "(/ro" + "ot/.cache)", "open('../sha" + "red/data/a.png')"])
def test_such_a_path_would_be_found(text: str) -> None:
    assert MACHINE_PATHS.search(text)


def test_no_merge_was_left_half_done() -> None:
    assert lines_with(re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)) == []


# Locks


def pins(name: str) -> dict[str, list[str]]:
    """Package -> its pinned versions (several where Python versions differ) with the lines that belong to each."""
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", read(name), flags=re.MULTILINE))
    found: dict[str, list[str]] = {}
    for entry in entries:
        package, _, rest = entry.partition("==")
        found.setdefault(package, []).append(rest)
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock"])
def test_every_python_package_is_pinned_with_hashes_and_without_an_address(name: str) -> None:
    for package, entries in pins(name).items():
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", package), f"{package!r} is not pinned"
        for entry in entries:
            assert re.match(r"[0-9][\w.]*", entry), package
            assert "--hash=sha256:" in entry, package
    assert not re.search(r"://|--(extra-)?index-url|--find-links| @ ", read(name))


def test_tests_and_service_agree_on_the_packages_they_share() -> None:
    service, tests = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: versions(tests[name]) for name in service.keys() & tests.keys()} == {
        name: versions(service[name]) for name in service.keys() & tests.keys()
    }


def versions(entries: list[str]) -> set[str]:
    return {entry.split()[0] for entry in entries}


def declared(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", requirement)[0].lower() for requirement in requirements}


def test_the_locks_hold_every_package_that_is_asked_for() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    assert declared(project["project"]["dependencies"]) <= pins("requirements.lock").keys()
    assert declared(project["dependency-groups"]["dev"]) <= pins("requirements-dev.lock").keys()
    assert declared(project["dependency-groups"]["uv"]) <= pins("requirements-uv.lock").keys()


def npm_lock(folder: str) -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads(read(f"{folder}/package-lock.json"))["packages"]
    return packages


@pytest.mark.parametrize("folder", ["web", "scripts"])
def test_every_npm_package_is_pinned_with_its_integrity_and_without_an_address(folder: str) -> None:
    found = {name: entry for name, entry in npm_lock(folder).items() if name}
    assert [name for name, entry in found.items() if not entry.get("integrity")] == []
    assert [name for name, entry in found.items() if "resolved" in entry] == []


def test_npm_ci_finds_every_platform_of_an_optional_package_in_the_lock() -> None:
    """npm drops platforms that the registry lacked when the lock was made, and then refuses that lock everywhere."""
    names = {name.rpartition("node_modules/")[2] for name in npm_lock("web")}
    wanted = {other for entry in npm_lock("web").values() for other in entry.get("optionalDependencies", {})}
    assert sorted(wanted - names) == []


# What is declared is used

NOT_IMPORTED = {
    "httptools": "uvicorn parses HTTP with it",
    "python-multipart": "starlette reads uploaded forms with it",
    "rapidocr": "onnxruntime runs the weights that come with it",
    "tzdata": "zoneinfo reads time zones from it where the system has none",
    "uvloop": "uvicorn runs on its event loop",
}


def test_every_declared_package_is_imported_or_says_what_for() -> None:
    imported = {name for path in (REPOSITORY / "aggregator").rglob("*.py") for name in imports_of(path)}
    distributions = packages_distributions()
    used = {other.lower().replace("_", "-") for name in imported for other in distributions.get(name, [])}
    asked = declared(tomllib.loads(read("pyproject.toml"))["project"]["dependencies"])
    assert asked - used - NOT_IMPORTED.keys() == set()
    assert NOT_IMPORTED.keys() <= asked
    assert NOT_IMPORTED.keys() & used == set()


def imports_of(path: Path) -> set[str]:
    found = re.findall(r"^\s*(?:from|import)\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name for name in found if name != "aggregator"}


# Words that are true


def test_the_version_is_the_same_wherever_it_is_written() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert json.loads(read("web/package.json"))["version"] == version
    assert json.loads(read("web/package-lock.json"))["version"] == version


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def test_make_alone_lists_every_target_with_a_line_about_it() -> None:
    printed = subprocess.run(["make"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert {line.split()[1] for line in printed.splitlines()} == targets()
    assert all(len(line.split()) > 3 for line in printed.splitlines())


PAGES = [path for path in tracked() if path.suffix == ".md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_and_every_make_command_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)|(?:src|srcset)=\"(?!https?:)([^\"]+)\"", text)
    missing = [link for pair in links for link in pair if link and not (page.parent / link).exists()]
    assert missing == []
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets()


def test_the_readme_explains_every_option_of_the_service_and_no_other() -> None:
    command = [sys.executable, "-m", "aggregator", "serve", "--help"]
    environment = {**os.environ, "COLUMNS": "200"}
    printed = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True)
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", printed.stdout)) - {"--help"}
    assert set(re.findall(r"^\| `(--[a-z-]+)", read("README.md"), re.MULTILINE)) == options


def test_scripts_that_are_run_by_name_are_executable() -> None:
    scripts = [path for path in tracked() if path.suffix == ".sh" or path == REPOSITORY / ".ci" / "run"]
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []
    assert len(scripts) > 1
