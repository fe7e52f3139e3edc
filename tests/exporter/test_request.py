"""What is looked at before the export begins, where no command can show it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import safetensors.torch
import torch

from gdq_exporter.config import ExportConfig
from gdq_exporter.request import check_request


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_left_to_whoever_reads_the_table(tmp_path: Path) -> None:
    """A shell gives one for ``--entropy-table <(unpack table)``: opened twice, it never ends."""
    os.mkfifo(tmp_path / "table")
    checkpoint = tmp_path / "w.safetensors"
    checkpoint.write_bytes(safetensors.torch.save({"a": torch.zeros(1)}))
    config = ExportConfig(entropy_table=tmp_path / "table")
    looking = threading.Thread(
        target=check_request, args=(checkpoint, tmp_path / "bundle", config), daemon=True
    )
    looking.start()
    looking.join(20)
    assert not looking.is_alive()
