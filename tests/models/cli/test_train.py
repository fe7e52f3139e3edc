from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

RECIPE = {
    "name": "tiny",
    "network": {"name": "edsr", "scale": 2, "channels": 8, "blocks": 1},
    "tile": 16,
    "held_out": 1,
    "stages": [
        {"kind": "widths", "steps": 2, "batch": 2, "patch": 16, "rates": {"weights": 1e-4}},
    ],
}


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Write a recipe and two photos; return the arguments for them."""
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(RECIPE))
    (tmp_path / "photos").mkdir()
    for number in range(2):
        photo = np.random.default_rng(number).integers(0, 256, (40, 48, 3))
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.png"), photo.astype(np.uint8))
    return [
        str(tmp_path / "tiny.yaml"),
        *("--photos", str(tmp_path / "photos")),
        *("-o", str(tmp_path / "run")),
        *("--accelerator", "cpu", "--devices", "1", "--threads", "1"),
    ]


def gdq_train(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gdq_models.cli.train", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_trains_and_prints_the_result_alone(inputs: list[str], tmp_path: Path) -> None:
    done = gdq_train(*inputs, "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["checkpoint"] == str(tmp_path / "run" / "tiny.safetensors")
    assert result["held_out"]["fab"] >= 4
    assert "decoding photos: 2 of 2" in done.stderr
    assert "Warning" not in done.stderr
    again = gdq_train(*inputs, "--resume")
    assert again.returncode == 0, again.stderr
    assert "next: gdq-export" in again.stdout


@pytest.mark.parametrize("ignored", [False, True])
def test_a_signal_while_photos_are_decoded_leaves_no_draft(
    inputs: list[str], tmp_path: Path, ignored: bool
) -> None:
    """SIGHUP, of a terminal that is closed; under nohup it is ignored."""
    photo = (tmp_path / "photos" / "0.png").read_bytes()
    for number in range(2, 600):
        (tmp_path / "photos" / f"{number}.png").write_bytes(photo)
    handler = signal.SIG_IGN if ignored else signal.SIG_DFL
    with subprocess.Popen(
        [sys.executable, "-m", "gdq_models.cli.train", *inputs],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, handler),
    ) as process:  # fmt: skip
        assert process.stderr is not None
        while "decoding photos" not in process.stderr.readline(20):
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        _, said = process.communicate(timeout=120)
    assert not list(tmp_path.rglob("*.part"))
    if ignored:
        assert process.returncode == 0, said
    else:
        # A line of progress may stand before it.
        assert process.returncode == 130
        assert said.splitlines()[-1].endswith("interrupted")
        assert not (tmp_path / "run" / "photos").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"surplus": 1}, "surplus"),
        ({"tile": 512}, "at least 1024 pixels"),
        ({"held_out": 2}, "too few to hold out"),
    ],
)
def test_refuses_in_one_sentence(
    inputs: list[str], tmp_path: Path, change: dict[str, int], sentence: str
) -> None:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(RECIPE | change))
    refused = gdq_train(*inputs)
    assert refused.returncode == 2
    *_, last = refused.stderr.splitlines()
    assert last.startswith("error: ")
    assert sentence in last
    assert "Traceback" not in refused.stderr
