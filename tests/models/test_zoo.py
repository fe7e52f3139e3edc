"""Every checkpoint of the zoo: small, complete, described, and as good as its card says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import benchmark_sets
from gdq_models import load_checkpoint, load_float_checkpoint
from gdq_models.training.recipe import load_recipe

MODELS = Path(__file__).resolve().parents[2] / "models"
CHECKPOINTS = sorted((MODELS / "zoo").glob("*/*.safetensors"))
BASELINE = MODELS / "zoo" / "edsr_baseline_x2" / "edsr_baseline_x2.safetensors"
FLOAT_BASELINE = benchmark_sets.EVAL.parents[1] / "weights" / "edsr_baseline_x2_float.safetensors"

needs_benchmarks = pytest.mark.skipif(
    not benchmark_sets.EVAL.is_dir(), reason="the benchmark sets (../shared/data/eval) are absent"
)


@pytest.fixture(params=CHECKPOINTS, ids=lambda path: path.stem)
def checkpoint(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_a_file_is_small_complete_and_of_its_recipe(checkpoint: Path) -> None:
    assert checkpoint.stem == checkpoint.parent.name
    assert checkpoint.stat().st_size < 6e6
    network = load_checkpoint(checkpoint).network
    wanted = load_recipe(MODELS / "recipes" / f"{checkpoint.stem}.yaml").network
    assert (network.name, network.scale) == (wanted.name, wanted.scale)
    assert (network.channels, network.blocks) == (wanted.channels, wanted.blocks)
    rule = network.sensitivity_rule()  # of those that gdq-calibrate refitted
    assert rule is not None or network.predictor.kind == wanted.gate
    tile = network.gate_predictor.e2b.table().tile if rule is None else rule.heads.side
    assert tile == 96


def test_a_card_tells_what_one_must_know(checkpoint: Path) -> None:
    card = (checkpoint.parent / "card.md").read_text(encoding="utf-8")
    for row in ("network", "data", "recipe", "time", "licence"):
        assert re.search(rf"^\| {row} \|", card, re.MULTILINE), row
    for column in ("Set5", "Set14", "FAB"):
        assert column in card
    assert "gdq-train" in card


@needs_benchmarks
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "above_bicubic"), [("Set5", 2.0), ("Set14", 1.0)])
def test_the_baseline_keeps_what_its_float_weights_reach(name: str, above_bicubic: float) -> None:
    network = load_checkpoint(BASELINE).network.to(memory_format=torch.channels_last)
    pairs = benchmark_sets.read_pairs(benchmark_sets.EVAL / name, 2)
    float_weights = load_float_checkpoint(FLOAT_BASELINE).network
    in_float = benchmark_sets.mean_psnr(pairs, benchmark_sets.at_width(float_weights, None), 2)
    bicubic = benchmark_sets.mean_psnr(pairs, benchmark_sets.interpolated(2), 2)
    at_8_bits = benchmark_sets.mean_psnr(pairs, benchmark_sets.at_width(network, 8), 2)
    routed, fab = benchmark_sets.routed_psnr(pairs, network)
    assert at_8_bits >= in_float - 0.05
    assert routed >= in_float - 0.10
    assert routed >= bicubic + above_bicubic
    assert fab <= 4.6
