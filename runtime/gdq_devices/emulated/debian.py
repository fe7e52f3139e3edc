"""Unpacks Debian packages of any architecture and release, with their dependencies, into a folder.

apt does the work with a state of its own, so that nothing is installed, the system's lists stay as
they are, and signatures are checked. The packages come from the mirror that the machine's apt uses.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_devices.commands import run_command
from gdq_devices.errors import SetupError, UnavailableError

_PROGRAMS = ("apt-get", "dpkg-deb")
_APT_HELPER = "/usr/lib/apt/apt-helper"
"""apt's own downloader; it knows the machine's proxies and certificates. Not meant for the PATH."""
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Packages:
    """What is wanted of Debian.

    Attributes:
        suite: the release, e.g. "bookworm".
        architecture: Debian's name of it, e.g. "arm64".
        names: packages; what they depend on comes along, what they recommend does not.
        without: packages that do not come along, with what they depend on: nobody will need them.

    """

    suite: str
    architecture: str
    names: tuple[str, ...]
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{' '.join(self.names)} of Debian {self.suite} for {self.architecture}"


def find_mirror() -> str:
    """Return the address of the Debian archive that the machine's apt uses, ending with a slash.

    Raises:
        UnavailableError: there is no apt, or it knows no such archive.

    """
    if missing := [program for program in _PROGRAMS if shutil.which(program) is None]:
        raise UnavailableError(f"there is no {missing[0]} here")
    # Asked of apt itself, because sources are written in several formats and places.
    listed = run_command(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)"]
    )
    return choose_mirror(listed.splitlines())


def choose_mirror(addresses: Sequence[str]) -> str:
    """Choose the first Debian archive; security updates and third-party packages are none.

    Raises:
        UnavailableError: none is.

    """
    for address in addresses:
        if address.rstrip("/").endswith("/debian"):
            return f"{address.rstrip('/')}/"
    raise UnavailableError("apt has no Debian archive among its sources")


def check_reachable(mirror: str, packages: Packages) -> None:
    """Ask the mirror whether it has the release for the architecture.

    Raises:
        UnavailableError: the mirror cannot be reached, or does not have it.

    """
    index = f"dists/{packages.suite}/main/binary-{packages.architecture}/Release"
    with tempfile.TemporaryDirectory() as folder:
        try:
            run_command([_APT_HELPER, "download-file", mirror + index, Path(folder) / "Release"])
        except SetupError as error:
            raise UnavailableError(f"apt's mirror does not give {index}: {error}") from error


def unpack(mirror: str, packages: Packages, folder: Path) -> None:
    """Download packages with all that they depend on, and unpack them into a folder.

    Raises:
        SetupError: apt or dpkg-deb fails.

    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".apt-") as state:
        apt = ["apt-get", "--quiet", "--yes", *_private_state(Path(state), mirror, packages)]
        run_command([*apt, "update"])
        run_command(
            [*apt, "install", "--download-only", "--no-install-recommends", *packages.names]
        )
        archives = sorted(Path(state).glob("cache/archives/*.deb"))
        if not archives:
            raise SetupError(f"apt downloaded nothing of {packages}")
        for archive in archives:
            run_command(["dpkg-deb", "--extract", archive, folder])


def _private_state(state: Path, mirror: str, packages: Packages) -> list[str]:
    """Return options that give apt a state of its own, in which nothing is installed."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    present = [_present(name, packages.architecture) for name in packages.without]
    (state / "status").write_text("\n".join(present), encoding="utf-8")
    trust = f" [signed-by={_KEYRING}]" if Path(_KEYRING).exists() else ""
    (state / "sources.list").write_text(
        f"deb{trust} {mirror} {packages.suite} main\n", encoding="utf-8"
    )
    settings = {
        "APT::Architecture": packages.architecture,
        "APT::Architectures": packages.architecture,
        # The folder belongs to whoever runs this; apt's own user could not write there.
        "APT::Sandbox::User": "root",
        # Otherwise a mirror that cannot be reached is only a warning.
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        # Locks protect the system's state, which this is not, and need root.
        "Debug::NoLocking": "true",
        "Dir::Cache": state / "cache",
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
    }
    return [f"--option={name}={value}" for name, value in settings.items()]


def _present(name: str, architecture: str) -> str:
    """Return the entry of a package that apt shall take for installed."""
    return (
        f"Package: {name}\nStatus: install ok installed\nMaintainer: nobody\n"
        f"Architecture: {architecture}\nVersion: 1\nDescription: left out\n"
    )
