"""A tiny network, exported once: fixtures for the tests of whoever reads bundles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from factories import tiny_edsr
from gdq_exporter import ExportConfig, ExportResult, export
from gdq_models import EDSR, save_checkpoint

# Tiny networks gain nothing from threads that wait for each other. Set on import, since some
# modules build a network while they are collected.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> EDSR:
    """The network that is exported; not to be changed."""
    return tiny_edsr(2, seed=1).eval()


@pytest.fixture(scope="session")
def checkpoint(tiny: EDSR, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.safetensors"
    save_checkpoint(tiny, path)
    return path


@pytest.fixture(scope="session")
def config() -> ExportConfig:
    return ExportConfig(tile=32, overlap=4)


@pytest.fixture(scope="session")
def exported(
    checkpoint: Path, config: ExportConfig, tmp_path_factory: pytest.TempPathFactory
) -> ExportResult:
    """A bundle that an export made; not to be changed."""
    return export(checkpoint, tmp_path_factory.mktemp("exported") / "bundle", config)
