from __future__ import annotations

import pytest

from factories import TINY
from gdq_models import CheckpointError, SuperResolutionNetwork, all_networks
from gdq_models.networks.registry import create_network, detect_network, network_names


def shapes_of(network: SuperResolutionNetwork) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("network", [make() for make in TINY.values()], ids=lambda n: n.name)
def test_exactly_one_network_detects_a_state_dict(network: SuperResolutionNetwork) -> None:
    shapes = shapes_of(network)
    assert [kind for kind in all_networks() if kind.detects(shapes)] == [type(network)]
    assert detect_network(shapes) is type(network)


def test_names_are_unique_and_each_network_has_a_tiny_one_for_tests() -> None:
    assert len(set(network_names())) == len(all_networks())
    assert tuple(network.name for network in all_networks()) == network_names()
    assert TINY.keys() == set(network_names())


@pytest.mark.parametrize("name", network_names())
def test_a_network_is_created_by_name(name: str) -> None:
    network = create_network(name, scale=3, channels=8, blocks=2, gate="linear")
    assert (network.name, network.scale, network.channels, network.blocks) == (name, 3, 8, 2)


def test_a_name_that_is_unknown_is_one_sentence() -> None:
    with pytest.raises(
        CheckpointError, match="unknown network 'vdsr'; choose one of srresnet, edsr, compact"
    ):
        create_network("vdsr", scale=2, channels=8, blocks=1, gate="linear")


@pytest.mark.parametrize("shapes", [{}, {"conv_first.weight": (64, 3, 3, 3)}])
def test_an_unknown_network_is_refused_with_what_is_known(
    shapes: dict[str, tuple[int, ...]],
) -> None:
    with pytest.raises(CheckpointError, match=r"no known network \(known: srresnet, edsr, com"):
        detect_network(shapes)
