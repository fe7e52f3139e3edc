"""constraints.txt names one exact version of everything that is installed directly."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def applying() -> list[Requirement]:
    return [line for line in LINES if line.marker is None or line.marker.evaluate()]


def test_versions_are_exact() -> None:
    assert all(str(line.specifier).startswith("==") and len(line.specifier) == 1 for line in LINES)


def test_a_package_has_one_version_for_this_python() -> None:
    names = [canonicalize_name(line.name) for line in applying()]
    assert len(names) == len(set(names))


def test_every_dependency_has_a_version_that_it_allows() -> None:
    versions = {
        canonicalize_name(line.name): str(line.specifier).removeprefix("==") for line in applying()
    }
    for dependency in map(Requirement, requires("granular-dq-mobile") or ()):
        name = canonicalize_name(dependency.name)
        if name != "granular-dq-mobile":
            assert name in versions
            assert dependency.specifier.contains(versions[name], prereleases=True)
