from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gdq_core.cli.folders import say_passed_over
from gdq_core.errors import ImageError
from gdq_core.pictures.folders import find_pictures, list_passed_over


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos, and what lies beside photos: hidden files, links, pipes, sockets, folders."""
    folder = tmp_path / "photos"
    (folder / "deep" / "folder.png").mkdir(parents=True)
    for name in ("a.png", "deep/b.JPG", "._a.png", "deep/._b.jpg", "notes.txt", ".DS_Store"):
        (folder / name).touch()
    (folder / "dangling.png").symlink_to("nowhere.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "linked.png").symlink_to("a.png")
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(folder / "socket.png"))
    return folder


def names(paths: list[Path], folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in paths]


def test_only_pictures_are_found(photos: Path) -> None:
    assert names(find_pictures(photos), photos) == ["a.png", "linked.png"]
    assert names(find_pictures(photos, deep=True), photos) == ["a.png", "deep/b.JPG", "linked.png"]


def test_the_rest_is_passed_over_and_named(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passed_over = ["._a.png", "dangling.png", "loop.png", "pipe.png", "socket.png"]
    assert names(list_passed_over(photos), photos) == passed_over
    say_passed_over(photos)
    assert capsys.readouterr().err == (
        f"note: {photos}: passed over, hidden or not a regular file: ._a.png, dangling.png, "
        "loop.png and 2 more\n"
    )
    deep = names(list_passed_over(photos, deep=True), photos)
    assert set(deep) - set(passed_over) == {"deep/._b.jpg", "deep/folder.png"}


def test_nothing_is_said_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").touch()
    for place in (tmp_path, tmp_path / "a.png", tmp_path / "absent"):
        say_passed_over(place)
    assert capsys.readouterr().err == ""


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "._a.png").touch()
    with pytest.raises(ImageError, match="holds no picture"):
        find_pictures(tmp_path)
    for name in ("._a.png", "absent"):
        with pytest.raises(ImageError, match="is not a folder of pictures"):
            find_pictures(tmp_path / name)
