"""Pack, sign and check the demo app, without the Android SDK.

``PYTHONPATH=tests python -m android.app.apk TOOLS RESOURCES JARS LIBRARIES FOLDER`` writes
``FOLDER/demo.apk`` and fails where it is not what phones and stores take.

JARS holds r8.jar, android-all.jar and, in app/, the app with all that it needs; LIBRARIES the
engine's libraries in a folder per ABI; RESOURCES what ``resources.py`` compiled.
"""

from __future__ import annotations

import os
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from android.app.tools import Tools, fetch_tools
from gdq_devices.commands import run_command
from gdq_devices.errors import SetupError, UnavailableError

_DEMO = Path(__file__).resolve().parents[3] / "android_demo"
RULES = (_DEMO / "app/rules.pro", _DEMO / "library/rules.pro")
PAGE = 16384
"""Libraries are mapped from the archive, on pages of this size."""
BUDGET = 3_000_000
"""Bytes of engine and app, without the bundles."""
PASSWORD = "android"
"""Of a key that is made for one build and proves nothing."""

_NEEDED = (
    "manifest.schema.json",
    "assets/edsr_mobile_x2.zip",
    "assets/edsr_mobile_x4.zip",
    "lib/arm64-v8a/libgdq_engine.so",
    "lib/arm64-v8a/libgdq_jni.so",
)
_WORD = 4
_EARLY = (1980, 1, 1, 0, 0, 0)
_ALIGNMENT = 0xD935
"""Extra field that keeps the alignment when the archive is signed."""


def shrink(jars: Path, java: Path, folder: Path) -> Path:
    """Turn the app and what it needs of its libraries into Android's own byte code."""
    folder.mkdir(parents=True, exist_ok=True)
    run_command(
        [
            java / "bin/java", "-Xmx1g", "-cp", jars / "r8.jar", "com.android.tools.r8.R8",
            "--release", "--min-api", "26", "--lib", jars / "android-all.jar", "--lib", java,
            *(option for rules in RULES for option in ("--pg-conf", rules)),
            "--output", folder, *sorted((jars / "app").glob("*.jar")),
        ]
    )  # fmt: skip
    return folder / "classes.dex"


def pack(resources: Path, code: Path, extras: Path, libraries: Path, target: Path) -> None:
    """Write the unsigned archive; libraries are stored, at multiples of a page.

    Args:
        resources: the archive that aapt2 linked.
        code: classes.dex.
        extras: the app's jar files, whose resources it reads at run time.
        libraries: a folder per ABI.
        target: is overwritten.

    """
    with zipfile.ZipFile(resources) as linked, zipfile.ZipFile(target, "w") as archive:
        for entry in linked.infolist():
            stored = entry.compress_type == zipfile.ZIP_STORED
            _put(archive, entry.filename, linked.read(entry), _WORD if stored else None)
        _put(archive, code.name, code.read_bytes(), None)
        for name, data in _read_at_run_time(extras):
            _put(archive, name, data, None)
        for library in sorted(libraries.glob("*/*.so")):
            name = f"lib/{library.parent.name}/{library.name}"
            _put(archive, name, library.read_bytes(), PAGE)


def _read_at_run_time(jars: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files at the top of the jars: the manifest's schema."""
    for jar in sorted(jars.glob("*.jar")):
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if "/" not in name:
                    yield name, archive.read(name)


def _put(archive: zipfile.ZipFile, name: str, data: bytes, alignment: int | None) -> None:
    """Add a file: compressed, or stored at a multiple of so many bytes."""
    entry = zipfile.ZipInfo(name, _EARLY)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED if alignment is None else zipfile.ZIP_STORED
    if alignment is not None:
        assert archive.fp is not None
        start = archive.fp.tell() + 30 + len(name.encode()) + 6
        padding = -start % alignment
        entry.extra = struct.pack("<HHH", _ALIGNMENT, 2 + padding, alignment) + bytes(padding)
    archive.writestr(entry, data)


def sign(tools: Tools, java: Path, unsigned: Path, key: Path, target: Path) -> str:
    """Sign with a key made for that, and return what apksigner says of the result."""
    key.unlink(missing_ok=True)
    run_command(
        [
            java / "bin/keytool", "-genkeypair", "-keystore", key, "-storetype", "PKCS12",
            "-storepass", PASSWORD, "-alias", "debug", "-keyalg", "RSA", "-keysize", "2048",
            "-validity", "10000", "-dname", "CN=debug",
        ]
    )  # fmt: skip
    signer: list[str | Path] = [java / "bin/java", "-jar", tools.signer]
    run_command(
        [
            *signer, "sign", "--ks", key, "--ks-pass", f"pass:{PASSWORD}",
            "--min-sdk-version", "26", "--v1-signing-enabled", "false", "--out", target, unsigned,
        ]
    )  # fmt: skip
    return run_command([*signer, "verify", "--verbose", "--min-sdk-version", "26", target])


def complaints(tools: Tools, apk: Path, code: Path, verified: str) -> list[str]:
    """List what is wrong with a signed archive."""
    found = [
        f"is not signed by scheme {scheme}"
        for scheme in ("v2", "v3")
        if not re.search(rf"Verified using {scheme} scheme.*: true", verified)
    ]
    badging = tools.run("aapt2", "dump", "badging", apk)
    found += [
        f"lacks {wanted} in what aapt2 dumps"
        for wanted in (
            "package: name='org.granulardq.demo'", "sdkVersion:'26'", "targetSdkVersion:'35'",
            "launchable-activity: name='org.granulardq.demo.MainActivity'",
            "native-code: 'arm64-v8a'",
        )
        if wanted not in badging
    ]  # fmt: skip
    if "uses-permission" in badging:
        found.append("asks for a permission")
    classes = tools.run("dexdump", code)
    found += [
        f"has no class {name}"
        for name in ("demo/MainActivity", "demo/ResultProvider", "core/engines/GdqNative")
        if f"Lorg/granulardq/{name};" not in classes
    ]
    with zipfile.ZipFile(apk) as archive:
        found += [f"lacks {name}" for name in _NEEDED if name not in archive.namelist()]
    return found + misplaced(apk) + _too_large(apk)


def misplaced(apk: Path) -> list[str]:
    """List the files that cannot be mapped from the archive into memory."""
    raw = apk.read_bytes()
    found = []
    with zipfile.ZipFile(apk) as archive:
        for entry in archive.infolist():
            sizes = struct.unpack_from("<HH", raw, entry.header_offset + 26)
            start = entry.header_offset + 30 + sum(sizes)
            stored = entry.compress_type == zipfile.ZIP_STORED
            if entry.filename.endswith(".so") and not (stored and start % PAGE == 0):
                found.append(f"has {entry.filename} at {start}, not stored on a page")
            if entry.filename == "resources.arsc" and not (stored and start % _WORD == 0):
                found.append("has resources that cannot be mapped")
    return found


def _too_large(apk: Path) -> list[str]:
    size = size_without_bundles(apk)
    return [f"has {size} bytes without its bundles, not at most {BUDGET}"] if size > BUDGET else []


def size_without_bundles(apk: Path) -> int:
    """Return the bytes that the app takes without its networks."""
    with zipfile.ZipFile(apk) as archive:
        bundles = [one for one in archive.infolist() if one.filename.startswith("assets/")]
    return apk.stat().st_size - sum(one.compress_size for one in bundles)


def main(tools_folder: Path, resources: Path, jars: Path, libraries: Path, folder: Path) -> None:
    tools, java = fetch_tools(tools_folder), Path(os.environ["JAVA_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    code = shrink(jars, java, folder)
    unsigned, apk = folder / "unsigned.apk", folder / "demo.apk"
    pack(resources / "resources.apk", code, jars / "app", libraries, unsigned)
    verified = sign(tools, java, unsigned, folder / "debug.p12", apk)
    if found := complaints(tools, apk, code, verified):
        sys.exit("\n".join(f"error: {apk} {complaint}" for complaint in found))
    print(f"{apk}: {apk.stat().st_size} bytes, {size_without_bundles(apk)} without its bundles")


if __name__ == "__main__":
    try:
        main(*(Path(given).resolve() for given in sys.argv[1:]))
    except (SetupError, UnavailableError) as error:
        sys.exit(f"error: {error}")
