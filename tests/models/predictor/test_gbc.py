from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_models.predictor.gate_kind import GateKind
from gdq_models.predictor.gbc import GranularityGate, norm_groups

CHANNELS = 16


def gate(kind: GateKind, seed: int = 0) -> GranularityGate:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = GranularityGate(CHANNELS, kind)
        for norm in norms_of(module):
            torch.nn.init.normal_(norm.weight, 1, 0.3)
            torch.nn.init.normal_(norm.bias)
    return module.eval()


def norms_of(module: GranularityGate) -> list[torch.nn.GroupNorm]:
    return [norm for norm in module.norms if isinstance(norm, torch.nn.GroupNorm)]


def features(height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, CHANNELS, height, width, generator=generator) * 3 + 1


def pool(z: np.ndarray, factor: int) -> np.ndarray:
    height, width = z.shape[1] // factor, z.shape[2] // factor
    cut = z[:, : height * factor, : width * factor]
    means: np.ndarray = cut.reshape(-1, height, factor, width, factor).mean(axis=(2, 4))
    return means


def normalised(z: np.ndarray, norm: torch.nn.GroupNorm) -> np.ndarray:
    groups = z.reshape(norm.num_groups, -1)
    mean, variance = groups.mean(axis=1, keepdims=True), groups.var(axis=1, keepdims=True)
    z = ((groups - mean) / np.sqrt(variance + 1e-6)).reshape(z.shape)
    weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    scaled: np.ndarray = z * weight[:, None, None] + bias[:, None, None]
    return scaled


def reference(module: GranularityGate, tile: np.ndarray) -> np.ndarray:
    """G = W S + b; S the means over the coarse grid of fine, median and coarse features."""
    granularities = [tile, pool(tile, 2), pool(pool(tile, 2), 2)]
    if module.kind == "group_norm":
        granularities = [
            normalised(z, norm) for z, norm in zip(granularities, norms_of(module), strict=True)
        ]
    pooled = [pool(z, factor) for z, factor in zip(granularities, (4, 2, 1), strict=True)]
    means = np.concatenate([z.mean(axis=(1, 2)) for z in pooled])
    weight, bias = module.linear.weight.detach().numpy(), module.linear.bias.detach().numpy()
    logits: np.ndarray = weight @ means + bias
    return logits


@settings(max_examples=30)
@given(
    kind=st.sampled_from(["linear", "group_norm"]),
    height=st.integers(4, 21),
    width=st.integers(4, 21),
    seed=st.integers(0, 100),
)
def test_equals_the_formula(kind: GateKind, height: int, width: int, seed: int) -> None:
    module, z = gate(kind, seed), features(height, width, seed)
    logits = module(z).detach().numpy()
    expected = [reference(module, tile.astype(np.float64)) for tile in z.numpy()]
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_without_normalisation_three_granularities_are_one_mean() -> None:
    module, z = gate("linear"), features(9, 10)
    mean = z[:, :, :8, :8].mean(dim=(2, 3))
    fine, median, coarse = module.linear.weight.chunk(3, dim=1)
    expected = mean @ (fine + median + coarse).T + module.linear.bias
    torch.testing.assert_close(module(z), expected, rtol=1e-4, atol=1e-5)


def test_choice_is_the_largest_logit_without_noise() -> None:
    logits = torch.tensor([[0.1, 0.2, 0.15], [3.0, -1.0, 2.9]])
    assert gate("linear").choose(logits).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_choice_in_training_is_noisy_and_carries_a_gradient() -> None:
    """Gumbel noise: classes come in the proportions of the softmax."""
    logits = torch.tensor([[0.0, 1.0, -1.0]]).repeat(4000, 1).requires_grad_()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        choice = gate("linear").train().choose(logits)
    assert set(choice.detach().round().flatten().tolist()) == {0, 1}
    shares = torch.softmax(logits[0].detach(), dim=0)
    torch.testing.assert_close(choice.detach().mean(dim=0), shares, atol=0.03, rtol=0)
    torch.autograd.backward((choice * torch.tensor([1.0, 2.0, 3.0])).sum())
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize(("channels", "groups"), [(64, 8), (60, 10), (144, 8), (6, 6), (7, 1)])
def test_norm_groups_divide(channels: int, groups: int) -> None:
    assert norm_groups(channels) == groups


def test_a_tile_without_a_coarse_granularity_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 pixels"):
        gate("linear")(features(3, 9))
