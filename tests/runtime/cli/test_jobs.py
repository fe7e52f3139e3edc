from __future__ import annotations

from pathlib import Path

import pytest

from gdq_core.errors import ImageError, OutputError
from gdq_runtime.cli.jobs import Job, make_folders, plan_jobs

BUNDLE = Path("bundle")


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
    assert plan_jobs([image], BUNDLE, output, None) == [Job(image, output, None)]
    assert plan_jobs([image], BUNDLE, output, drawing) == [Job(image, output, drawing)]
    assert plan_jobs([image], BUNDLE, tmp_path, None) == [Job(image, tmp_path / "a.png", None)]


def test_a_folder_gives_its_pictures_sorted(photos: Path, tmp_path: Path) -> None:
    output, maps = tmp_path / "out" / "here", tmp_path / "maps"
    jobs = plan_jobs([photos], BUNDLE, output, maps)
    assert [job.source.name for job in jobs] == ["a.jpg", "b.PNG", "c.tiff"]
    assert [job.target for job in jobs] == [output / f"{name}.png" for name in "abc"]
    assert [job.bit_map for job in jobs] == [maps / f"{name}.png" for name in "abc"]
    assert not output.exists()
    make_folders(jobs, [photos])
    assert output.is_dir()
    assert maps.is_dir()


def test_a_folder_of_one_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    (job,) = plan_jobs([tmp_path / "in"], BUNDLE, tmp_path / "out", None)
    assert job.target == tmp_path / "out" / "a.png"


def test_names_do_not_collide(tmp_path: Path) -> None:
    images = [tmp_path / "a.png", tmp_path / "a.jpg", tmp_path / "b.jpg"]
    names = [job.target.name for job in plan_jobs(images, BUNDLE, tmp_path / "out", None)]
    assert names == ["a.png.png", "a.jpg.png", "b.png"]
    with pytest.raises(OutputError, match=r"a\.png\.png would be written twice"):
        plan_jobs([tmp_path / "a.png", tmp_path / "x" / "a.png"], BUNDLE, tmp_path / "out", None)


def test_refusals(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file is not a folder"):
        plan_jobs([photos], BUNDLE, tmp_path / "file", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="holds no picture"):
        plan_jobs([tmp_path / "empty"], BUNDLE, tmp_path / "out", None)


@pytest.mark.parametrize(
    ("images", "output", "bit_map", "sentence"),
    [
        ("photos", "photos", None, "lies in .*photos, an input"),
        ("photos", "photos/deeper", None, "lies in .*photos, an input"),
        ("photos", "linked", None, "lies in .*photos, an input"),
        ("photos", "out", "photos", "lies in .*photos, an input"),
        ("photos", "out", "out", "would be written twice"),
        ("photos/a.jpg", "photos/a.jpg", None, "is an input"),
        ("photos/a.jpg", "out.png", "photos/a.jpg", "is an input"),
        ("photos/a.jpg", "out.png", "linked/a.jpg", "is an input"),
        ("photos/a.jpg", "bundle/out.png", None, "lies in .*bundle, an input"),
        ("photos/a.jpg", "bundle", None, "lies in .*bundle, an input"),
        ("photos/a.jpg", "out.png", "out.png", "would be written twice"),
    ],
)
def test_no_result_touches_what_is_read(
    photos: Path, tmp_path: Path, images: str, output: str, bit_map: str | None, sentence: str
) -> None:
    (tmp_path / "linked").symlink_to(photos)
    (tmp_path / "bundle").mkdir()
    before = sorted(tmp_path.rglob("*"))
    drawing = None if bit_map is None else tmp_path / bit_map
    with pytest.raises(OutputError, match=sentence):
        plan_jobs([tmp_path / images], tmp_path / "bundle", tmp_path / output, drawing)
    assert sorted(tmp_path.rglob("*")) == before


def test_results_may_lie_beside_what_is_read(photos: Path, tmp_path: Path) -> None:
    jobs = plan_jobs([photos / "a.jpg", photos / "b.PNG"], BUNDLE, photos / "deeper", None)
    assert [job.target.name for job in jobs] == ["a.png", "b.png"]
    (job,) = plan_jobs([photos / "a.jpg"], BUNDLE, photos, photos / "map.png")
    assert job.target == photos / "a.png"
