from __future__ import annotations

import zipfile
from pathlib import Path

from android.app.apk import misplaced, pack


def test_libraries_and_resources_can_be_mapped(tmp_path: Path) -> None:
    linked, code, jars = tmp_path / "linked.apk", tmp_path / "classes.dex", tmp_path / "jars"
    library = tmp_path / "lib/arm64-v8a/libx.so"
    for folder in (jars, library.parent):
        folder.mkdir(parents=True)
    with zipfile.ZipFile(linked, "w") as archive:
        archive.writestr("a", "odd")
        archive.writestr("resources.arsc", "numbers")
    with zipfile.ZipFile(jars / "app.jar", "w") as archive:
        archive.writestr("schema.json", "{}")
        archive.writestr("org/X.class", "code")
    code.write_bytes(b"dex")
    library.write_bytes(b"code")
    apk = tmp_path / "app.apk"
    pack(linked, code, jars, tmp_path / "lib", apk)
    assert misplaced(apk) == []
    with zipfile.ZipFile(apk) as archive:
        names = ["a", "resources.arsc", "classes.dex", "schema.json", "lib/arm64-v8a/libx.so"]
        assert archive.namelist() == names
        assert archive.read("schema.json") == b"{}"


def test_what_cannot_be_mapped_is_told(tmp_path: Path) -> None:
    apk = tmp_path / "app.apk"
    with zipfile.ZipFile(apk, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lib/arm64-v8a/libx.so", "code")
        archive.writestr("resources.arsc", "numbers")
    assert [one.split()[1] for one in misplaced(apk)] == ["lib/arm64-v8a/libx.so", "resources"]
