from __future__ import annotations

from pathlib import Path

from gdq_core.pictures.folders import list_pictures


def test_pictures_are_listed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "._a.jpg", ".hidden.png", "notes.txt", "in/c.webp", ".in/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to(tmp_path / "absent.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.jpg")
    flat = [path.name for path in list_pictures(tmp_path)]
    assert flat == ["a.jpg", "b.PNG", "link.png"]
    deep = [str(path.relative_to(tmp_path)) for path in list_pictures(tmp_path, deep=True)]
    assert deep == ["a.jpg", "b.PNG", "in/c.webp", "link.png"]


def test_a_hidden_folder_that_is_named_is_listed(tmp_path: Path) -> None:
    (tmp_path / ".photos").mkdir()
    (tmp_path / ".photos/a.png").write_bytes(b"")
    assert len(list_pictures(tmp_path / ".photos", deep=True)) == 1
