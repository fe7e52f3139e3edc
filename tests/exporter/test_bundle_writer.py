from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint import fingerprint
from gdq_core.errors import OutputError
from gdq_core.files.drafts import draft_folder
from gdq_core.files.text import write_text
from gdq_exporter.bundle_writer import bundle_output, list_files

MANIFEST = json.dumps({"schema_version": 4, "subgraphs": [], "files": [{"path": "content"}]})


def make(target: Path, content: str = "new", *, overwrite: bool = False) -> None:
    with draft_folder(bundle_output(target), overwrite=overwrite) as folder:
        (folder / "manifest.json").write_text(MANIFEST)
        (folder / "content").write_text(content)


def stop_halfway(target: Path, error: type[BaseException], *, overwrite: bool = False) -> None:
    with draft_folder(bundle_output(target), overwrite=overwrite) as folder:
        (folder / "content").write_text("new")
        raise error("stop")


def test_the_bundle_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "bundle"
    with draft_folder(bundle_output(target), overwrite=False) as folder:
        (folder / "content").write_text("new")
        assert not target.exists()
        assert folder.parent == target.parent
    assert (target / "content").read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OutputError])
def test_nothing_is_left_after_an_exception(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error, match="stop"):
        stop_halfway(tmp_path / "bundle", error)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_target_is_kept(tmp_path: Path) -> None:
    make(tmp_path / "bundle", "old")
    with pytest.raises(OutputError, match="exists; --overwrite replaces it"):
        make(tmp_path / "bundle")
    assert (tmp_path / "bundle" / "content").read_text() == "old"


def test_overwrite_replaces_a_bundle(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    make(target, "old")
    (target / "content").unlink()  # be it damaged
    make(target, overwrite=True)
    assert (target / "content").read_text() == "new"
    assert sorted(path.name for path in target.iterdir()) == ["content", "manifest.json"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["notes.txt", "deep/notes.txt", "manifest.json.bak", ".hidden"])
def test_a_bundle_with_other_files_in_it_is_kept(name: str, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    make(target, "old")
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_text("dear")
    before = fingerprint(tmp_path)
    with pytest.raises(OutputError, match="is not a bundle of ours and is kept"):
        make(target, overwrite=True)
    assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_overwrite_keeps_the_old_bundle_until_the_new_one_is_whole(
    error: type[BaseException], tmp_path: Path
) -> None:
    make(tmp_path / "bundle", "old")
    with pytest.raises(error, match="stop"):
        stop_halfway(tmp_path / "bundle", error, overwrite=True)
    assert (tmp_path / "bundle" / "content").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "bundle"]


def test_overwrite_fills_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    make(tmp_path / "bundle", overwrite=True)
    assert (tmp_path / "bundle" / "content").read_text() == "new"


@pytest.mark.parametrize(
    "manifest", [None, "not JSON", "[]", '{"manifest_version": 3, "name": "an extension"}']
)
def test_overwrite_refuses_what_is_no_bundle(manifest: str | None, tmp_path: Path) -> None:
    """Other programs have a manifest.json too."""
    target = tmp_path / "photos"
    target.mkdir()
    (target / "dear.jpg").write_text("photo")
    if manifest is not None:
        (target / "manifest.json").write_text(manifest)
    with pytest.raises(OutputError, match="is not a bundle of ours and is kept"):
        make(target, overwrite=True)
    assert (target / "dear.jpg").read_text() == "photo"


def test_overwrite_refuses_a_file_and_links(tmp_path: Path) -> None:
    file, link, dangling = tmp_path / "file", tmp_path / "link", tmp_path / "dangling"
    file.write_text("dear")
    make(tmp_path / "bundle")
    link.symlink_to(tmp_path / "bundle")
    dangling.symlink_to(tmp_path / "nothing")
    for target in (file, link, dangling):
        with pytest.raises(OutputError, match=r"is not a folder|is a link"):
            make(target, overwrite=True)
    assert file.read_text() == "dear"
    assert link.is_symlink()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/bundle cannot be written: \w+"):
        make(tmp_path / "file" / "bundle")
    with pytest.raises(OutputError, match="cannot be written: File name too long"):
        make(tmp_path / ("long" * 100))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="no permission to write"):
        make(tmp_path / "bundle")


def test_a_name_of_the_largest_length_works(tmp_path: Path) -> None:
    make(tmp_path / ("n" * 255))
    assert (tmp_path / ("n" * 255) / "content").read_text() == "new"


def test_a_full_disk_leaves_nothing(small_disk: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        make(small_disk / "bundle", "new" * 100_000)
    assert list(small_disk.iterdir()) == []


_SLOW_WRITER = """
import sys, time
from pathlib import Path
from gdq_core.files.drafts import draft_folder
from gdq_exporter.bundle_writer import bundle_output
with draft_folder(bundle_output(Path(sys.argv[1])), overwrite=True) as folder:
    (folder / "manifest.json").write_text("{}")
    print("half written", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("exists", [False, True])
def test_being_killed_leaves_no_half_bundle(exists: bool, tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    if exists:
        make(target, "old")
    command = [sys.executable, "-c", _SLOW_WRITER, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half written\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert target.exists() is exists
    if exists:
        assert (target / "content").read_text() == "old"
    make(target, overwrite=exists)
    assert (target / "content").read_text() == "new"


def test_list_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write_text(tmp_path / "b" / "2.txt", "zwei\n")
    write_text(tmp_path / "a.txt", "")
    first, second = list_files(tmp_path)
    assert (first.path, first.size) == ("a.txt", 0)
    assert (second.path, second.size) == ("b/2.txt", 5)
    assert second.sha256 == hashlib.sha256(b"zwei\n").hexdigest()
