from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from exporter.traced import network
from gdq_bench.suite.plain_int8 import write_plain_int8
from gdq_models import SuperResolutionNetwork


def test_a_network_is_written(tmp_path: Path) -> None:
    write_plain_int8(network("edsr x2"), 16, tmp_path / "plain.tflite")
    assert (tmp_path / "plain.tflite").stat().st_size > 0


def test_a_convolution_that_is_not_plain_is_refused(tmp_path: Path) -> None:
    """It would be written as a dense one that keeps the size."""
    edsr = with_dilated_body_end()
    with pytest.raises(ValueError, match="layer 'body_end', a 3x3 convolution with dilations 2x2"):
        write_plain_int8(edsr, 16, tmp_path / "plain.tflite")


def with_dilated_body_end() -> SuperResolutionNetwork:
    edsr = copy.deepcopy(network("edsr x2"))  # others use it too
    end = edsr.body_end
    assert isinstance(end, nn.Conv2d)
    dilated = nn.Conv2d(end.in_channels, end.out_channels, 3, padding=2, dilation=2)
    with torch.no_grad():
        dilated.weight.copy_(end.weight)
    edsr.body_end = dilated
    return edsr
