from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from gdq_bench.targets.phone.inputs import Peer, parse_peer, write_inputs
from gdq_core.errors import RequestError
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.ground_truth import list_ground_truth
from runtime.engine_library import need_library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "phone").mkdir()
    return tmp_path / "phone"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "gdq_run").write_text("a program")
    return tmp_path / "gdq_run"


def test_what_is_pushed(bundle: Bundle, photos: Path, program: Path, folder: Path) -> None:
    need_library()
    truth, _ = list_ground_truth(photos, 2)
    archive = folder.parent / "ort.aar"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("jni/arm64-v8a/libonnxruntime.so", "a library")
    inputs = write_inputs(bundle, truth, program, [Peer("ort", archive)], "nnapi", folder)
    assert {
        "gdq_run", "model.gdq", "picture.ppm", "picture.plan", "tiles/0.ppm", "tiles/bounds.txt",
        "libraries/ort/libonnxruntime.so", "onnx/weights.bin",
    } <= inputs.files.keys()  # fmt: skip
    words = " ".join(inputs.engines)
    assert words.startswith("model.gdq --library libraries/ort/libonnxruntime.so --model 4=onnx/")
    assert words.endswith(" --accelerator nnapi")
    assert all(file.is_file() for file in inputs.files.values())
    assert (inputs.picture.width, inputs.picture.height) == (120, 100)
    digest = inputs.digest
    program.write_text("another program")
    assert inputs.digest != digest


def test_tensorflow_lite_reads_one_file(
    bundle: Bundle, photos: Path, program: Path, folder: Path
) -> None:
    need_library()
    truth, _ = list_ground_truth(photos, 2)
    library = folder.parent / "a library.so"
    library.write_text("a library")
    inputs = write_inputs(bundle, truth, program, [Peer("tflite", library)], "cpu", folder)
    assert {path for path in inputs.files if path.startswith("tflite/")} == {"tflite/graphs.tflite"}
    assert inputs.files["libraries/tflite/a library.so"] == library
    assert inputs.engines[1:5] == (
        "--library", "libraries/tflite/a library.so", "--model", "4=tflite/graphs.tflite",
    )  # fmt: skip


def test_libraries_of_one_name_are_two_files(
    bundle: Bundle, photos: Path, program: Path, folder: Path
) -> None:
    need_library()
    truth, _ = list_ground_truth(photos, 2)
    peers = []
    for name in ("ort", "tflite"):
        (folder.parent / name).mkdir()
        peers.append(Peer(name, folder.parent / name / "gdq_run"))
        peers[-1].file.write_text(name)
    inputs = write_inputs(bundle, truth, program, peers, "cpu", folder)
    assert inputs.files["gdq_run"] == program
    assert inputs.files["libraries/ort/gdq_run"].read_text() == "ort"
    assert inputs.files["libraries/tflite/gdq_run"].read_text() == "tflite"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ort", "--peer takes NAME=FILE with NAME one of ort, tflite, not 'ort'"),
        ("tensorrt=a.so", "--peer takes NAME=FILE"),
        ("=a.so", "--peer takes NAME=FILE"),
        ("ort=absent.so", "--peer ort: there is no file absent.so"),
        (
            "ort=text.so",
            "text.so is neither an Android archive \\(AAR\\) nor a library",
        ),
        ("ort=x86.so", "x86.so is neither an Android archive \\(AAR\\) nor a library"),
    ],
)
def test_peers_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.so").write_text("a library")
    Path("x86.so").write_bytes(b"\x7fELF\x02" + bytes(13) + b"\x3e\0")
    with pytest.raises(RequestError, match=sentence):
        parse_peer(text)


def test_a_library_for_phones_is_a_peer(tmp_path: Path) -> None:
    library = tmp_path / "arm64.so"
    library.write_bytes(b"\x7fELF\x02" + bytes(13) + b"\xb7\0")
    assert parse_peer(f"ort={library}") == Peer("ort", library)


def test_an_archive_without_the_library(
    bundle: Bundle, photos: Path, program: Path, folder: Path
) -> None:
    need_library()
    truth, _ = list_ground_truth(photos, 2)
    empty = folder.parent / "empty.aar"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(RequestError, match=r"empty.aar holds no jni/arm64-v8a/libonnxruntime.so"):
        write_inputs(bundle, truth, program, [Peer("ort", empty)], "cpu", folder)
