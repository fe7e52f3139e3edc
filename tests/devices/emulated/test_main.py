from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def set_up(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gdq_devices.emulated", "--folder", str(folder)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_what_cannot_be_had_is_no_success_and_no_failure(tmp_path: Path) -> None:
    finished = set_up(tmp_path / "machine", PATH="/nowhere")
    assert finished.returncode == 77, finished.stderr
    assert finished.stdout.startswith("SKIPPED, nothing was tested on ARM64: ")
    assert not (tmp_path / "machine").exists()


def test_in_ci_it_is_a_failure(tmp_path: Path) -> None:
    finished = set_up(tmp_path / "machine", PATH="/nowhere", CI="true")
    assert finished.returncode == 1
    (sentence,) = finished.stderr.splitlines()
    assert sentence.startswith("error: the emulated ARM64 machine cannot be set up: there is no ")
