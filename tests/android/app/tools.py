"""Android's tools from Debian, unpacked beside the build: nothing is installed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdq_devices.commands import run_command
from gdq_devices.emulated.debian import Packages, find_mirror, unpack
from gdq_devices.emulated.once import build_once

_PACKAGES = Packages(
    "bookworm", "amd64", ("aapt", "apksigner", "dexdump", "android-framework-res"),
    without=("default-jre",),
)  # fmt: skip
"""apksigner runs on the JDK that is here."""

_LIBRARIES = (
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu/android",
)
_LOADER = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"


@dataclass(frozen=True)
class Tools:
    """Runs the programs by their own loader: their C library may be newer than the one here.

    Attributes:
        folder: where the packages are unpacked.

    """

    folder: Path

    @property
    def framework(self) -> Path:
        """Resources of Android itself, that an app's refer to."""
        return self.folder / "usr/share/android-framework-res/framework-res.apk"

    @property
    def signer(self) -> Path:
        """The program apksigner, for a JVM."""
        return self.folder / "usr/share/java/apksigner.jar"

    def run(self, tool: str, *options: str | Path) -> str:
        """Run a program of these packages and return what it prints."""
        places = ":".join(str(self.folder / place) for place in _LIBRARIES)
        program = self.folder / "usr/lib/android-sdk/build-tools/debian" / tool
        return run_command([self.folder / _LOADER, "--library-path", places, program, *options])


def fetch_tools(folder: Path) -> Tools:
    """Unpack the tools, unless that is done already.

    Raises:
        UnavailableError: there is no Debian archive here.
        SetupError: the tools cannot be unpacked.

    """

    def fill(place: Path) -> None:
        unpack(find_mirror(), _PACKAGES, place)

    build_once(folder, repr(_PACKAGES), fill)
    return Tools(folder)
