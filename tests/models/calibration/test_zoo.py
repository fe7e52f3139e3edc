from __future__ import annotations

from pathlib import Path

import pytest
import torch

import benchmark_sets
from gdq_models import load_checkpoint

ZOO = Path(__file__).resolve().parents[3] / "models" / "zoo"
CHECKPOINT = ZOO / "edsr_baseline_x2" / "edsr_baseline_x2.safetensors"

needs_benchmarks = pytest.mark.skipif(
    not benchmark_sets.EVAL.is_dir(), reason="the benchmark sets (../shared/data/eval) are absent"
)


def test_the_file_is_small_and_complete() -> None:
    assert CHECKPOINT.stat().st_size < 6e6
    network = load_checkpoint(CHECKPOINT, scale=2).network
    assert (network.name, network.channels, network.blocks) == ("edsr", 64, 16)
    assert network.predictor.gate.kind == "group_norm"
    assert network.predictor.e2b.table().tile == 96


@needs_benchmarks
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "above_bicubic"), [("Set5", 2.0), ("Set14", 1.0)])
def test_routed_pictures_are_close_to_float_and_far_above_bicubic(
    name: str, above_bicubic: float
) -> None:
    network = load_checkpoint(CHECKPOINT).network.to(memory_format=torch.channels_last)
    pairs = benchmark_sets.read_pairs(benchmark_sets.EVAL / name, 2)
    bicubic = benchmark_sets.mean_psnr(pairs, benchmark_sets.interpolated(2), 2)
    in_float = benchmark_sets.mean_psnr(pairs, benchmark_sets.at_width(network, None), 2)
    routed, fab = benchmark_sets.routed_psnr(pairs, network)
    assert fab <= 6
    assert routed >= in_float - 0.5
    assert routed >= bicubic + above_bicubic
