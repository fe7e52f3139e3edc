from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gdq_exporter import ExportResult
from gdq_exporter.checks.routing import RoutingCheck
from gdq_exporter.cli.export import main
from gdq_runtime.bundle.reader import Bundle


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments], catch_exceptions=False)


def assert_refused(result: Result, sentence: str) -> None:
    """Exit code 2, nothing on stdout, one sentence that names what is wrong."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("output_format", ["json", "text"])
def test_result_on_stdout_and_progress_on_stderr(
    output_format: str, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RoutingCheck, "is_earned", property(lambda _: False))
    bundle = tmp_path / "bundle"
    options = ["--tile", "16", "--overlap", "2", "--scale", "2", "--format", output_format]
    result = run(checkpoint, "-o", bundle, *options)
    assert result.exit_code == 0, result.stderr
    assert "lowering to 4 bits ..." in result.stderr
    assert "warning: the predictor does not earn its bits: at 4.6 bits" in result.stderr
    manifest = Bundle.open(bundle).manifest
    assert (manifest.tiling.size, manifest.tiling.overlap) == (16, 2)
    if output_format == "json":
        report = json.loads(result.stdout)
        assert report["bundle"] == str(bundle)
        assert {entry["path"] for entry in report["files"]} == {f.path for f in manifest.files}
        assert set(report["onnx"]) == {"4", "5", "6", "8"}
        assert len(report["tflite"]) == 5
        assert f"warning: {report['routing']['warning']}\n" in result.stderr
        assert all(len(parity["widths"]) == 4 for parity in report["parity"].values())
    else:
        assert "edsr x2" in result.stdout
        assert ("engine: written but unproved: " in result.stdout) == (
            "\ngdq " not in result.stdout
        )
        assert "litert: as a whole on XNNPACK: bits4, bits5, bits6, bits8\n" in result.stdout
        assert "nnapi, predicted: predictor " in result.stdout
        assert all(entry.path in result.stdout for entry in manifest.files)
        assert f"gdq-upscale PHOTO -b {bundle}" in result.stdout


class _Code:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


def test_bad_checkpoints_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("a text file")
    (tmp_path / "code.pt").write_bytes(pickle.dumps(_Code(tmp_path / "was here")))
    for name in ("nothing.pt", "text.pt", "code.pt"):
        result = run(tmp_path / name, "-o", tmp_path / "bundle")
        assert_refused(result, str(tmp_path / name))
        assert len(result.stderr.splitlines()) <= 2  # after "loading the checkpoint ..."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code.pt", "text.pt"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--scale", "4"], "upscales by 2, not by 4"),
        (["--scale", "0"], "neither 'auto' nor a whole number from 1 to 8"),
        (["--scale", "two"], "neither 'auto' nor a whole number from 1 to 8"),
        (["--tile", "98"], "tile 98 must be a multiple of 4"),
        (["--overlap", "60"], "overlap 60 must be from 0 to half of tile 96"),
        (["--profile", "fast"], "'fast' is not one of"),
        (["--formats", "onnx,core"], "format 'core' is unknown; choose one of onnx, tflite"),
        (["--formats", "onnx,onnx"], "each given once"),
        (["--formats", ""], "format '' is unknown"),
        (["--calibration", "nowhere"], "nowhere is not a folder of pictures"),
        (["--entropy-table", "nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_bad_settings_are_one_sentence(
    options: list[str], sentence: str, checkpoint: Path, tmp_path: Path
) -> None:
    assert_refused(run(checkpoint, "-o", tmp_path / "bundle", *options), sentence)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_bundle_is_kept(exported: ExportResult, checkpoint: Path) -> None:
    before = (exported.bundle / "manifest.json").read_bytes()
    assert_refused(run(checkpoint, "-o", exported.bundle), "exists; --overwrite replaces it")
    assert (exported.bundle / "manifest.json").read_bytes() == before


def test_help_shows_examples_and_every_profile() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "gdq-export srresnet_x2.pt --entropy-table E2B.json" in result.stdout
    assert "stream_float-tail_float" in result.stdout


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_export_leaves_no_bundle(
    how: signal.Signals, checkpoint: Path, tmp_path: Path
) -> None:
    """SIGTERM and SIGHUP are answered and leave nothing at all."""
    command = [sys.executable, "-m", "gdq_exporter.cli.export", str(checkpoint), "-o", "bundle"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while not process.stderr.readline().startswith("tracing"):
                assert process.poll() is None
            process.send_signal(how)
            _, said = process.communicate(timeout=120)
        finally:
            process.kill()
    assert not (tmp_path / "bundle").exists()
    if how == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert (process.returncode, said.splitlines()[-1]) == (130, "interrupted")
        assert list(tmp_path.iterdir()) == []
