from __future__ import annotations

from pathlib import Path

import pytest

from gdq_core.errors import ImageError, OutputError
from gdq_runtime.cli.jobs import Job, plan_jobs


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", "c.tiff", ".hidden.png", "notes.txt", "deeper/d.png"):
        (folder / name).write_bytes(b"")
    (folder / "folder.png").mkdir()
    return folder


def test_one_image_goes_where_it_is_told(tmp_path: Path) -> None:
    image, output, drawing = tmp_path / "a.jpg", tmp_path / "b.tif", tmp_path / "map.png"
    assert plan_jobs([image], output, None) == [Job(image, output, None)]
    assert plan_jobs([image], output, drawing) == [Job(image, output, drawing)]
    assert plan_jobs([image], tmp_path, None) == [Job(image, tmp_path / "a.png", None)]


def test_a_folder_gives_its_pictures_sorted(photos: Path, tmp_path: Path) -> None:
    output, maps = tmp_path / "out" / "here", tmp_path / "maps"
    jobs = plan_jobs([photos], output, maps)
    assert [job.source.name for job in jobs] == ["a.jpg", "b.PNG", "c.tiff"]
    assert [job.target for job in jobs] == [output / f"{name}.png" for name in "abc"]
    assert [job.bit_map for job in jobs] == [maps / f"{name}.png" for name in "abc"]
    assert output.is_dir()
    assert maps.is_dir()


def test_a_folder_of_one_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    (job,) = plan_jobs([tmp_path / "in"], tmp_path / "out", None)
    assert job.target == tmp_path / "out" / "a.png"


def test_names_do_not_collide(tmp_path: Path) -> None:
    images = [tmp_path / "a.png", tmp_path / "a.jpg", tmp_path / "b.jpg"]
    names = [job.target.name for job in plan_jobs(images, tmp_path / "out", None)]
    assert names == ["a.png.png", "a.jpg.png", "b.png"]
    with pytest.raises(OutputError, match=r"a\.png\.png would be written twice"):
        plan_jobs([tmp_path / "a.png", tmp_path / "x" / "a.png"], tmp_path / "out", None)


def test_refusals(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be the folder for the results"):
        plan_jobs([photos], tmp_path / "file", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="has no pictures"):
        plan_jobs([tmp_path / "empty"], tmp_path / "out", None)
