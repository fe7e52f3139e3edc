from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gdq_core.errors import OutputError
from gdq_core.files.outputs import FilledFolder, Output, check_apart, check_outputs, check_place


def is_mine(path: Path) -> bool:
    """Files that begin with "ours", and folders with a file of that name."""
    return (path / "ours").exists() if path.is_dir() else path.read_bytes().startswith(b"ours")


def file(path: Path) -> Output:
    return Output(path, "a result", is_mine)


def folder(path: Path) -> Output:
    return Output(path, "a bundle", is_mine, is_folder=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Photos, a link to them, a link and a hard link to one of them; and weights."""
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    (tmp_path / "photos" / "a.png").write_bytes(b"photo")
    (tmp_path / "weights").write_bytes(b"weights")
    (tmp_path / "linked").symlink_to(tmp_path / "photos")
    (tmp_path / "linked.png").symlink_to(tmp_path / "photos" / "a.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "photos" / "a.png")
    return tmp_path


@pytest.mark.parametrize("make", [file, folder, FilledFolder])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("photos", "is an input"),
        ("photos/", "is an input"),
        ("linked", "is an input"),
        ("photos/deep/..", "is an input"),
        ("photos/a.png", "is an input"),
        ("linked/a.png", "is an input"),
        ("linked.png", "is an input"),
        ("hard.png", "is an input"),
        ("photos/new", "lies in .*photos, an input"),
        ("photos/deep/new/newer", "lies in .*photos, an input"),
        ("linked/new", "lies in .*photos, an input"),
        (".", "holds .*, an input"),
        ("absent/..", "holds .*, an input"),
        ("..", "holds .*, an input"),
    ],
)
def test_an_output_that_touches_an_input_is_refused(
    tree: Path, name: str, sentence: str, make: Callable[[Path], Output | FilledFolder]
) -> None:
    inputs = [tree / "photos", tree / "photos" / "a.png", tree / "weights"]
    # Not joined by pathlib, which would tidy the name.
    output = make(Path(f"{tree}/{name}"))
    with pytest.raises(OutputError, match=sentence):
        check_apart([output], inputs)


def test_relative_names_are_seen_through(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "photos" / "deep")
    with pytest.raises(OutputError, match="holds"):
        check_apart([FilledFolder(Path())], [tree / "photos" / "deep" / "recipe"])
    with pytest.raises(OutputError, match="is an input"):
        check_apart([folder(Path(".."))], [tree / "photos"])


def test_neighbours_are_no_inputs(tree: Path) -> None:
    outputs = [file(tree / "photos.png"), folder(tree / "photos2"), file(tree / "phot")]
    check_outputs(outputs, [tree / "photos", tree / "weights"], overwrite=False)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("out", "out", "written twice"),
        ("out", "photos/../out", "written twice"),
        ("out", "out/cache", "written as a whole"),
        ("out/cache", "out", "written as a whole"),
    ],
)
def test_two_outputs_are_apart(tree: Path, first: str, second: str, sentence: str) -> None:
    with pytest.raises(OutputError, match=sentence):
        check_apart([folder(tree / first), folder(tree / second)], [])


def test_outputs_may_lie_in_a_folder_that_is_filled(tree: Path) -> None:
    run = FilledFolder(tree / "run")
    check_apart([run, folder(tree / "run" / "photos"), file(tree / "run" / "x")], [])
    with pytest.raises(OutputError, match="written as a whole"):
        check_apart([run, folder(tree)], [])
    with pytest.raises(OutputError, match="written twice"):
        check_apart([run, folder(tree / "run")], [])


def test_what_exists_is_kept_unless_told_otherwise(tree: Path) -> None:
    (tree / "result").write_text("ours, an old one")
    (tree / "bundle").mkdir()
    (tree / "bundle" / "ours").touch()
    for output in (file(tree / "result"), folder(tree / "bundle")):
        with pytest.raises(OutputError, match="exists; --overwrite replaces it"):
            check_place(output, overwrite=False)
        check_place(output, overwrite=True)


def test_only_what_is_ours_or_empty_is_replaced(tree: Path) -> None:
    (tree / "empty").touch()
    (tree / "nothing").mkdir()
    check_place(file(tree / "empty"), overwrite=True)
    check_place(folder(tree / "nothing"), overwrite=False)
    for output in (file(tree / "weights"), folder(tree / "photos")):
        with pytest.raises(OutputError, match=r"is not a \w+ of ours and is kept"):
            check_place(output, overwrite=True)


def test_other_kinds_of_entries_are_never_replaced(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "dangling").symlink_to(tree / "nothing")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tree / "socket"))
    for name, sentence in {
        "pipe": "not a regular file",
        "socket": "not a regular file",
        "dangling": "is a link",
        "linked.png": "is a link",
        "photos": "is a folder",
    }.items():
        with pytest.raises(OutputError, match=sentence):
            check_place(file(tree / name), overwrite=True)
    for name in ("weights", "linked"):
        with pytest.raises(OutputError, match=r"is not a folder|is a link"):
            check_place(folder(tree / name), overwrite=True)
    with pytest.raises(OutputError, match="is not a folder"):
        check_place(FilledFolder(tree / "weights"), overwrite=True)


def test_a_file_needs_a_folder_and_a_folder_is_made_with_its_parents(tree: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*absent"):
        check_place(file(tree / "absent" / "result"), overwrite=False)
    for output in (folder(tree / "a" / "b"), FilledFolder(tree / "a" / "b")):
        check_place(output, overwrite=False)
    for output in (folder(tree / "weights" / "b"), FilledFolder(tree / "weights" / "b" / "c")):
        with pytest.raises(OutputError, match=r"there is no folder|Not a directory"):
            check_place(output, overwrite=False)


def test_names_that_no_file_can_have(tree: Path) -> None:
    for name in ("x" * 300, "nul\0byte"):
        with pytest.raises(OutputError, match=r"cannot be written|is not a valid file name"):
            check_outputs([file(tree / name)], [tree / "photos"], overwrite=False)


def test_a_folder_that_refuses_us(tree: Path) -> None:
    if os.access("/proc/self", os.W_OK):
        pytest.skip("no folder here that refuses this user")
    for output in (file(Path("/proc/self/x")), FilledFolder(Path("/proc/self"))):
        with pytest.raises(OutputError, match="no permission to write"):
            check_place(output, overwrite=False)


def test_a_file_system_that_cannot_be_written(tree: Path) -> None:
    """An administrator has every permission there, and still cannot write."""
    place = tree / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        for output in (file(place / "x"), folder(place / "x"), FilledFolder(place)):
            with pytest.raises(OutputError, match="the file system is read-only"):
                check_place(output, overwrite=False)
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_many_files_are_checked_in_little_time(tree: Path) -> None:
    """Each name is looked up once, not once for each pair."""
    inputs = [tree / "photos" / str(number) for number in range(2000)]
    check_apart([file(tree / "out" / str(number)) for number in range(2000)], inputs)
