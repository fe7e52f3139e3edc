from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.made_pictures import png_bytes, random_image
from factories import tiny_edsr
from gdq_bench.measure.candidates import Candidate, open_candidates
from gdq_exporter import ExportConfig, export
from gdq_models import save_checkpoint
from gdq_runtime.bundle.reader import Bundle

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle in all formats, with golden tiles; not to be changed."""
    folder = tmp_path_factory.mktemp("exported")
    save_checkpoint(tiny_edsr(2, seed=1).eval(), folder / "tiny.safetensors")
    export(folder / "tiny.safetensors", folder / "tiny", ExportConfig(tile=32, overlap=4))
    return folder / "tiny"


@pytest.fixture(scope="session")
def bundle(exported: Path) -> Bundle:
    return Bundle.open(exported)


@pytest.fixture(scope="session")
def candidates(
    bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Candidate]]:
    """ONNX Runtime and LiteRT, open."""
    folder = tmp_path_factory.mktemp("candidates")
    with open_candidates(bundle, "onnxruntime,litert", folder, lambda _: None) as opened:
        yield opened


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ground truths of different sizes."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    folder.mkdir()
    for name, (height, width) in {"a": (100, 120), "b": (70, 130)}.items():
        (folder / f"{name}.png").write_bytes(png_bytes(random_image(height, width, seed=height)))
    return folder
