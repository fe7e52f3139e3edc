from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from core.made_pictures import png_bytes, random_image
from gdq_core.pictures.decode import PictureReader
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.cli.upscale import main
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.kept_costs import describe_origin, keep_costs
from gdq_runtime.engines.registry import open_engine
from runtime.tiny_bundle import add_dial, upscale, write_tiny_bundle
from runtime.tiny_tflite import write_tiny_tflite_bundle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_tiny_bundle(tmp_path / "bundle")
    for name in ("photo.png", "photos/a.png", "photos/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png_bytes(random_image(40, 50)))
    (tmp_path / "text.png").write_text("a text")
    return tmp_path


NOTE = (
    "engine 'onnxruntime' is used: bundle has no graphs for engine 'gdq', which reads engine: it "
    "was exported with --formats onnx"
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "-b", "bundle"], catch_exceptions=False)


def read(path: Path) -> np.ndarray:
    with PictureReader(path) as reader:
        return reader.read_rows(reader.height)


def test_one_picture(here: Path) -> None:
    result = run("photo.png", "-o", "large.png", "--bits", "8", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("large.png: 50x40 -> 100x80, FAB 8.00 (tiles x bits: ")
    assert result.stderr == f"note: {NOTE}\n"
    np.testing.assert_array_equal(read(here / "large.png"), upscale(random_image(40, 50), 8))


def test_a_folder_and_json(here: Path) -> None:
    result = run("photos", "photo.png", "-o", "out", "--bit-map", "maps", "--format", "json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    images, engine = answer["images"], answer["engine"]
    assert engine == {
        "name": "onnxruntime",
        "accelerator_asked": "CPU",
        "accelerator_used": "CPU",
        "costs": None,
        "are_kept": False,
        "fallback_reason": NOTE,
        "notes": [NOTE],
    }
    assert [image["target"] for image in images] == [
        str(Path("out", name)) for name in ("a.png", "b.png", "photo.png")
    ]
    first = images[0]
    assert first["size"] == [50, 40]
    assert first["output_size"] == [100, 80]
    assert sum(first["tiles"].values()) == 12
    assert first["fab"] == pytest.approx(
        sum(int(width) * count for width, count in first["tiles"].items()) / 12
    )
    assert first["seconds"]["run"]["wall"] > 0
    assert first["dial"] is None
    for name in ("milliseconds_per_tile", "speed", "expected_seconds"):
        assert first[name] is None
    assert sorted(path.name for path in (here / "maps").iterdir()) == [
        "a.png",
        "b.png",
        "photo.png",
    ]


def test_the_dial(here: Path) -> None:
    add_dial(here / "bundle")
    seen = {}
    for name, dial in (
        ("predicted", []),
        ("cheap", ["--fab", "4.5"]),
        ("good", ["--fab", "8"]),
        ("bounded", ["--max-loss", "0.011"]),
    ):
        arguments = ["photo.png", "-o", f"{name}.png", "--format", "json", *dial]
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        (seen[name],) = json.loads(result.stdout)["images"]
    assert [image["fab"] for image in seen.values()] == [seen["predicted"]["fab"], 4, 8, 8]
    losses = [image["expected_loss_db"] for image in seen.values()]
    assert losses == [pytest.approx(loss) for loss in (0.21, 0.41, 0.01, 0.01)]


@pytest.fixture
def ladder(here: Path, monkeypatch: pytest.MonkeyPatch) -> Costs:
    """Costs that are kept for the bundle, so that nothing is timed."""
    add_dial(here / "bundle")
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    costs = Costs({0: 1 / 16, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}, 1 / 8)
    bundle = Bundle.open("bundle")
    keep_costs(describe_origin(open_engine("onnxruntime", bundle), bundle), costs)
    return costs


@pytest.mark.usefixtures("ladder")
@pytest.mark.parametrize(
    ("dial", "widths", "loss"),
    [
        (["--speed", "1x"], [8, 8], 0.0),
        (["--speed", "1.1"], [4, 8], 0.1),
        (["--speed", "2x"], [4, 4], 0.4),
        (["--max-seconds", "50"], [4, 8], 0.1),  # 12 tiles of 7.5 s on two threads
        (["--max-seconds", "30"], [4, 4], 0.4),
    ],
)
def test_the_dial_in_time(dial: list[str], widths: list[int], loss: float) -> None:
    options = ["--format", "json", "--threads", "2", "--flat-tiles", "network", *dial]
    result = run("photo.png", "-o", "a.png", "--bit-map", "map.png", *options)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    (image,) = answer["images"]
    assert (image["dial"], image["expected_loss_db"]) == (widths, loss)
    # Whoever knows the kept costs can work it out.
    seconds, tiles = answer["engine"]["costs"]["seconds"], image["tiles"]
    predict = 0 if len(set(widths)) == 1 else answer["engine"]["costs"]["predict"]
    mean = sum(seconds[width] * count for width, count in tiles.items()) / 12 + predict
    assert image["milliseconds_per_tile"] == pytest.approx(1000 * mean)
    assert image["speed"] == pytest.approx(8 / mean)
    expected = sum(seconds[str(width)] for width in widths) / 2 + predict
    assert image["expected_seconds"] == pytest.approx(12 * expected / 2 / 0.9)
    if dial[0] == "--speed":
        assert image["speed"] >= float(dial[1].removesuffix("x"))
    else:
        assert 12 * mean / 2 <= float(dial[1])


@pytest.mark.usefixtures("ladder")
def test_says_what_was_chosen() -> None:
    result = run("photo.png", "-o", "a.png", "--speed", "2x", "--threads", "2")
    assert result.stdout.splitlines()[1:] == [
        "  expected loss 0.410 dB against all tiles at 8 bits",
        "  4000.0 ms a tile, 2.00 times as fast as all tiles at 8 bits",
        "  expected to take 21.4 s",
    ]


def test_the_costs_are_measured_and_kept_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    seen = [
        json.loads(run("photo.png", "-o", f"{name}.png", "--format", "json").stdout)["engine"]
        for name in ("first", "second")
    ]
    assert seen[0]["costs"] == seen[1]["costs"] is not None
    assert seen[0]["are_kept"]


@pytest.mark.parametrize(
    ("dial", "sentence"),
    [
        (["--fab", "3"], "fab 3.0 is below the smallest one"),
        (["--fab", "5", "--bits", "8"], "give only one of"),
        (["--max-loss", "0.005", "--flat-tiles", "interpolate"], "leave them to the network"),
        (["--fab", "nan"], "must be a number"),
        (["--speed", "0.5x"], "speed must be a number of at least 1"),
        (["--speed", "1.5x", "--policy", "paper"], "need tiles of one size"),
        (["--max-seconds", "1e-9"], "max-seconds 1e-09 is out of reach"),
        (["--speed", "1000x"], "speed 1000x is out of reach"),
    ],
)
def test_a_dial_out_of_reach_gets_one_sentence(here: Path, dial: list[str], sentence: str) -> None:
    add_dial(here / "bundle")
    result = run("photo.png", "-o", "out.png", *dial)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert sentence in line
    assert not Path("out.png").exists()


def test_another_engine(here: Path) -> None:
    write_tiny_tflite_bundle(here / "tflite")
    options = ("photo.png", "-o", "large.png", "--engine", "litert", "--format", "json")
    result = CliRunner().invoke(main, [*options, "-b", "tflite", "--bits", "5"])
    assert result.exit_code == 0, result.output
    engine = json.loads(result.stdout)["engine"]
    assert (engine["name"], engine["accelerator_used"]) == ("litert", "XNNPACK")
    np.testing.assert_array_equal(read(here / "large.png"), upscale(random_image(40, 50), 5))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-b", "bundle"), "no graphs for engine 'litert', which reads tflite"),
        (("-b", "tflite", "--policy", "paper"), "cuts others: choose --policy uniform\n"),
    ],
)
def test_an_engine_that_cannot_is_one_sentence(
    options: tuple[str, ...], sentence: str, here: Path
) -> None:
    write_tiny_tflite_bundle(here / "tflite")
    words = ["photo.png", "-o", "large.png", "--engine", "litert", *options]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (here / "large.png").exists()


def test_a_bad_picture_does_not_stop_the_others(here: Path) -> None:
    result = run("text.png", "photo.png", "absent.png", "-o", "out")
    assert result.exit_code == 2
    *errors, note = result.stderr.splitlines()
    assert len(errors) == 2
    assert note == f"note: {NOTE}"
    assert all(line.startswith("error: ") for line in errors)
    assert result.stdout.startswith(str(Path("out", "photo.png")))
    assert [path.name for path in (here / "out").iterdir()] == ["photo.png"]
    listed = json.loads(
        run("text.png", "photo.png", "-o", "out", "--overwrite", "--format", "json").stdout
    )
    assert "is not a picture" in listed["images"][0]["error"]
    assert listed["images"][1]["fab"] > 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photo.png", "-o", "photo.png"], "photo.png is an input of this command"),
        (["photo.png", "-o", "photo.png", "--overwrite"], "photo.png is an input of this command"),
        (["photo.png", "-o", "a.png", "--bit-map", "photo.png", "--overwrite"], "is an input"),
        (["photo.png", "-o", "photos/a.png"], "exists; --overwrite replaces it"),
        (["photo.png", "-o", "text.png", "--overwrite"], "is not a picture of ours and is kept"),
        (["photo.png", "-o", "a.gif"], "must end in"),
        (["photo.png", "-o", "absent/a.png"], "there is no folder"),
        (["photo.png", "-o", "a.png", "-b", "photos"], "is not a bundle"),
        (["photos", "-o", "photo.png"], "photo.png is not a folder"),
        (["photos", "-o", "out", "-b", "photos"], "is not a bundle"),
        (["photo.png", "-o", "a.png", "--bits", "7"], "Invalid value for '--bits'"),
        (["photo.png", "-o", "a.png", "--threads", "0"], "Invalid value for '--threads'"),
        (["photo.png", "-o", "a.png", "--engine", "abacus"], "Invalid value for '--engine'"),
        (["-o", "a.png"], "Missing argument"),
    ],
)
def test_refusals_have_exit_code_2(here: Path, arguments: list[str], sentence: str) -> None:
    before = sorted(here.rglob("*"))
    options = arguments if "-b" in arguments else [*arguments, "-b", "bundle"]
    result = CliRunner().invoke(main, options, catch_exceptions=False)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert sorted(here.rglob("*")) == before


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gdq_runtime.cli.upscale", *arguments]


def test_a_damaged_picture_is_one_line_on_stderr(here: Path) -> None:
    content = bytearray((here / "photo.png").read_bytes())
    content[-20] ^= 1  # libpng would print a line of its own
    (here / "bad.png").write_bytes(content)
    process = subprocess.run(
        command("bad.png", "-b", "bundle", "-o", "out.png", "--engine", "onnxruntime"),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert process.stderr.startswith("error: bad.png is damaged or truncated: ")
    assert process.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are Unix's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_half_written(here: Path, number: signal.Signals) -> None:
    (here / "long.png").write_bytes(png_bytes(np.zeros((20_000, 400, 3), dtype=np.uint8)))
    process = subprocess.Popen(
        command("long.png", "-b", "bundle", "-o", "out.png"),
        stderr=subprocess.PIPE,
        text=True,
        # A background shell ignores SIGINT, and nohup SIGHUP; children inherit that.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(here.glob(".gdq-*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert not list(here.glob(".gdq-*"))
    assert not (here / "out.png").exists()


def test_help_shows_examples() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "gdq-upscale photo.jpg -b edsr_x2 -o photo_x2.png" in result.output


def test_a_speed_that_is_none_is_refused(here: Path) -> None:
    result = CliRunner().invoke(main, ["photo.png", "-b", "b", "-o", "a.png", "--speed", "fast"])
    assert result.exit_code == 2
    assert "'fast' does not say how many times, as 1.5x does" in result.stderr
