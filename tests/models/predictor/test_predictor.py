from __future__ import annotations

import torch

from factories import sample_tiles, tiny_edsr
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import SuperResolutionNetwork
from gdq_models.predictor.predictor import route_for


def decided_by_hand(network: SuperResolutionNetwork, tiles: torch.Tensor) -> list[int]:
    """theta = argmax G -> 4, 6, 8; 8 becomes 4, 5 or 8 by entropy."""
    prediction = network.predict(tiles)
    low, high = network.gate_predictor.e2b.thresholds()
    by_hand = []
    for logits, entropy in zip(prediction.logits, prediction.entropy, strict=True):
        width = (4, 6, 8)[int(logits.argmax())]
        if width == 8:
            width = 4 if entropy <= low else 5 if entropy <= high else 8
        by_hand.append(width)
    return by_hand


def test_the_entropy_rule_decides_where_the_gate_says_eight() -> None:
    network, tiles = tiny_edsr(), sample_tiles()
    decided = network.predict(tiles).bit_width
    assert decided.dtype == torch.int64
    assert decided.tolist() == decided_by_hand(network, tiles)
    assert set(decided.tolist()) == set(BIT_WIDTHS)


def test_prediction_is_the_same_in_training_and_evaluation() -> None:
    network, tiles = tiny_edsr(), sample_tiles()
    expected = network.predict(tiles)
    again = network.train().predict(tiles)
    assert torch.equal(again.bit_width, expected.bit_width)


def test_route_for_is_one_hot_in_the_order_of_bit_widths() -> None:
    assert route_for(torch.tensor([8, 4, 6, 5])).tolist() == [
        [0, 0, 0, 1],
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 1, 0, 0],
    ]


def test_route_in_evaluation_is_the_prediction() -> None:
    network, tiles = tiny_edsr(), sample_tiles()
    route = network.gate_predictor.route(network.features(tiles), tiles)
    assert torch.equal(route, network.route_for(network.predict(tiles).bit_width))


def test_training_route_lets_the_loss_reach_the_gate() -> None:
    network, tiles = tiny_edsr().train(), sample_tiles()
    features = network.features(tiles)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        route = network.gate_predictor.route(features, tiles)
    torch.testing.assert_close(route.sum(dim=1), torch.ones(len(tiles)))
    torch.autograd.backward(network.reconstruct(features, tiles, route).square().mean())
    gradient = network.gate_predictor.gate.linear.weight.grad
    assert gradient is not None
    assert gradient.abs().max() > 0
