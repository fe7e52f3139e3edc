"""What the runtime may import, and what it must not take long for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import gdq_runtime
from core.made_pictures import png_bytes, random_image
from runtime.tiny_bundle import write_tiny_bundle

FORBIDDEN = ["torch", "tensorflow", "onnx", "onnx_ir", "onnxscript", "gdq_exporter", "gdq_models"]
HEAVY = ["numpy", "cv2", "OpenImageIO", "onnxruntime", "pydantic"]


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_picture_is_upscaled_without_what_trains_and_exports(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "in.png").write_bytes(png_bytes(random_image(30, 30)))
    arguments = [
        "gdq-upscale", str(tmp_path / "in.png"), "-b", str(bundle), "-o", str(tmp_path / "out.png")
    ]  # fmt: skip
    program = f"""
import sys
for name in {FORBIDDEN}:
    sys.modules[name] = None
sys.argv = {arguments}
from gdq_runtime.cli.upscale import main
main()
"""
    finished = run(program)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "out.png").exists()


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from gdq_runtime.cli.upscale import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in {HEAVY} if name in sys.modules])
"""
    finished = run(program)
    assert finished.stdout.splitlines()[-1] == "[]", finished.stdout + finished.stderr


@pytest.mark.parametrize("name", gdq_runtime.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(gdq_runtime, name).__name__ == name
    assert name in dir(gdq_runtime)


def test_the_version_is_that_of_the_package() -> None:
    assert gdq_runtime.__version__ == version("granular-dq-mobile")


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = gdq_runtime.nonsense
