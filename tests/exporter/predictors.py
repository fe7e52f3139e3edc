"""Networks whose predictors are exported, with lively gates, and what torch says of tiles."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_models import Prediction, SuperResolutionNetwork

Tile = NDArray[np.uint8]

_SEED = 0
_MEAN = (114.4, 111.5, 103.0)
NETWORKS: dict[str, Callable[[], SuperResolutionNetwork]] = {
    "linear": lambda: tiny_edsr(2, "linear"),
    "linear, mean": lambda: tiny_edsr(2, "linear", mean=_MEAN, value_range=255.0),
    "linear, 9x9": lambda: tiny_srresnet(2, "linear"),
    "group norm": lambda: tiny_edsr(2, "group_norm"),
    "group norm, mean": lambda: tiny_edsr(2, "group_norm", mean=_MEAN),
    "group norm, 9x9": lambda: tiny_srresnet(2, "group_norm"),
}

LOGIT_NOISE = 1e-4
"""Of float32, relative to the largest logit; a decision closer than this may go either way."""
ENTROPY_NOISE = 1e-5


@lru_cache
def network(name: str) -> SuperResolutionNetwork:
    """One of them, its norms as lively as after training."""
    made = NETWORKS[name]()
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        _learn_norms(made)
    return made.eval()


@lru_cache
def exact(name: str) -> SuperResolutionNetwork:
    """The same in double precision."""
    return copy.deepcopy(network(name)).double().eval()


def _learn_norms(network: SuperResolutionNetwork) -> None:
    """Gives the norms weights and biases as training would, and each logit its chance again."""
    gate, tiles = network.gate_predictor.gate, sample_tiles(32)
    with torch.no_grad():
        for norm in gate.norms:
            assert isinstance(norm, torch.nn.GroupNorm)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(norm.bias, std=0.3)
        logits = gate(network.features(tiles))
        gate.linear.weight.div_(logits.std(dim=0)[:, None])
        gate.linear.bias.sub_(logits.mean(dim=0)).div_(logits.std(dim=0))
        gate.linear.bias[2] += 0.5


def expected(name: str, tile: Tile) -> Prediction:
    """What torch predicts in double precision."""
    image = torch.from_numpy(tile.transpose(2, 0, 1)[None].astype(np.float64))
    with torch.inference_mode():
        return exact(name).predict(image)


def assert_predicted(
    name: str,
    tile: Tile,
    logits: NDArray[np.float32],
    entropy: NDArray[np.float32],
    bit_width: NDArray[np.int64],
) -> None:
    """Logits, entropy and decision equal those of torch in double precision."""
    want = expected(name, tile)
    noise = LOGIT_NOISE * max(1, float(want.logits.abs().max()))
    np.testing.assert_allclose(logits, want.logits.numpy(), rtol=0, atol=noise)
    np.testing.assert_allclose(entropy, want.entropy.numpy(), rtol=0, atol=ENTROPY_NOISE)
    second, first = np.sort(want.logits[0].numpy())[-2:]
    thresholds = exact(name).gate_predictor.e2b.thresholds()
    distance = min(abs(float(want.entropy) - threshold) for threshold in thresholds)
    if first - second > 2 * noise and distance > 2 * ENTROPY_NOISE:
        assert bit_width.item() == want.bit_width.item()
