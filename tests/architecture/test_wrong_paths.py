"""A wrong path or option is found before torch is loaded, which takes seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from core.made_pictures import png_bytes, random_image
from fingerprint import fingerprint
from runtime.tiny_bundle import write_tiny_bundle

PROGRAM = """
import importlib, sys
main = importlib.import_module({module!r}).main
try:
    main({arguments!r})
finally:
    slow = {{"torch", "lightning", "onnx_ir", "onnxruntime"}}
    print("loaded:", *slow & sys.modules.keys(), file=sys.stderr)
"""

EXPORT, CALIBRATE = "gdq_exporter.cli.export", "gdq_models.cli.calibrate"
TRAIN, VALIDATE = "gdq_models.cli.train", "gdq_validate.cli.validate"
UPSCALE, BENCH = "gdq_runtime.cli.upscale", "gdq_bench.cli.bench"
RECIPE = """
name: tiny
network: {name: edsr, scale: 2, channels: 8, blocks: 1}
stages: [{kind: float, steps: 1}]
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """What a user has: a bundle, photos, weights, a recipe, and things that are none of these."""
    write_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "photos").mkdir()
    for name in ("photos/a.png", "photos/._a.png"):
        (tmp_path / name).write_bytes(png_bytes(random_image(60, 80)))
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("dear")
    (tmp_path / "w.safetensors").write_bytes(safetensors.torch.save({"a": torch.zeros(1)}))
    (tmp_path / "r.yaml").write_text(RECIPE)
    (tmp_path / "wrong.yaml").write_text(RECIPE.replace("edsr", "none"))
    (tmp_path / "link").symlink_to("photos")
    return tmp_path


CASES = [
    (EXPORT, "absent -o out"),
    (EXPORT, "text -o out"),
    (EXPORT, "photos -o out"),
    (EXPORT, "/dev/zero -o out"),
    (EXPORT, "w.safetensors -o out --tile 3"),
    (EXPORT, "w.safetensors -o out --formats none"),
    (EXPORT, "w.safetensors -o out --calibration absent"),
    (EXPORT, "w.safetensors -o out --calibration empty"),
    (EXPORT, "w.safetensors -o out --entropy-table absent"),
    (EXPORT, "w.safetensors -o text"),
    (EXPORT, "w.safetensors -o photos --overwrite"),
    (EXPORT, "w.safetensors -o link --overwrite"),
    (EXPORT, "w.safetensors -o bundle"),
    (EXPORT, "w.safetensors -o photos/new --calibration link --overwrite"),
    (EXPORT, "w.safetensors -o . --overwrite"),
    (EXPORT, "bundle/manifest.json -o bundle --overwrite"),
    (CALIBRATE, "absent -o out"),
    (CALIBRATE, "text -o out"),
    (CALIBRATE, "photos -o out"),
    (CALIBRATE, "w.safetensors -o out --images absent"),
    (CALIBRATE, "w.safetensors -o out --images empty"),
    (CALIBRATE, "w.safetensors -o w.safetensors --overwrite"),
    (CALIBRATE, "w.safetensors -o text --overwrite"),
    (CALIBRATE, "w.safetensors -o photos/a.png --overwrite --images link"),
    (CALIBRATE, "w.safetensors -o absent/out"),
    (TRAIN, "absent --photos photos -o out"),
    (TRAIN, "wrong.yaml --photos photos -o out"),
    (TRAIN, "r.yaml --photos absent -o out"),
    (TRAIN, "r.yaml --photos empty -o out"),
    (TRAIN, "/dev/zero --photos photos -o out"),
    (TRAIN, "r.yaml --photos photos -o out --weights absent"),
    (TRAIN, "r.yaml --photos photos -o out --weights photos"),
    (TRAIN, "r.yaml --photos photos -o out --resume"),
    (TRAIN, "r.yaml --photos photos -o ."),
    (TRAIN, "r.yaml --photos link -o photos"),
    (TRAIN, "r.yaml --photos photos -o out --cache photos"),
    (TRAIN, "r.yaml --photos photos -o out --cache ."),
    (TRAIN, "r.yaml --photos photos -o bundle"),
    (TRAIN, "r.yaml --photos photos -o out --cache bundle"),
    (VALIDATE, "absent --data photos"),
    (VALIDATE, "bundle --data absent"),
    (VALIDATE, "bundle --data photos --checkpoint absent"),
    (VALIDATE, "bundle --data photos --checkpoint photos"),
    (VALIDATE, "bundle --data photos --html photos/a.png --overwrite"),
    (VALIDATE, "bundle --data photos --json bundle/manifest.json --overwrite"),
    (VALIDATE, "bundle --data photos --json text --overwrite"),
    (VALIDATE, "bundle --data photos --checkpoint w.safetensors --json w.safetensors --overwrite"),
    (UPSCALE, "photos -b absent -o out"),
    (UPSCALE, "empty -b bundle -o out"),
    (UPSCALE, "photos -b bundle -o link --overwrite"),
    (UPSCALE, "photos/a.png -b bundle -o link/a.png --overwrite"),
    (UPSCALE, "photos/a.png -b bundle -o out.png --bit-map photos/a.png --overwrite"),
    (UPSCALE, "photos -b bundle -o out --bit-map photos --overwrite"),
    (UPSCALE, "photos -b bundle -o bundle"),
    (BENCH, "--host absent"),
    (BENCH, "--host bundle --json bundle/manifest.json --overwrite"),
    (BENCH, "--host bundle --data photos --html text --overwrite"),
]


@pytest.mark.parametrize(("module", "arguments"), CASES)
def test_a_wrong_path_costs_no_time_and_nothing_else(
    module: str, arguments: str, here: Path
) -> None:
    before = fingerprint(here)
    program = PROGRAM.format(module=module, arguments=arguments.split())
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=here, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    *notes, error, loaded = finished.stderr.splitlines()
    assert finished.returncode == 2, finished.stderr
    assert error.startswith("error: "), finished.stderr
    assert all(note.startswith("note: ") for note in notes), finished.stderr
    assert loaded == "loaded:"
    assert fingerprint(here) == before
