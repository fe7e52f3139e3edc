from __future__ import annotations

import pytest

from factories import tiny_edsr, tiny_srresnet
from gdq_models import NETWORKS, CheckpointError, SuperResolutionNetwork
from gdq_models.networks.registry import detect_network


def shapes_of(network: SuperResolutionNetwork) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("network", [tiny_edsr(), tiny_srresnet()], ids=lambda n: n.name)
def test_exactly_one_network_detects_a_state_dict(network: SuperResolutionNetwork) -> None:
    shapes = shapes_of(network)
    assert [kind for kind in NETWORKS if kind.detects(shapes)] == [type(network)]
    assert detect_network(shapes) is type(network)


def test_names_are_unique() -> None:
    assert len({network.name for network in NETWORKS}) == len(NETWORKS)


@pytest.mark.parametrize("shapes", [{}, {"conv_first.weight": (64, 3, 3, 3)}])
def test_an_unknown_network_is_refused_with_what_is_known(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    with pytest.raises(CheckpointError, match=r"no known network \(known: srresnet, edsr\)"):
        detect_network(shapes)
