"""The networks, in the order in which a state dict is tried against them: a list to read.

Each is imported when it is asked for, so that names are known without torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gdq_models.errors import CheckpointError
from gdq_models.predictor.gate_kind import GateKind

if TYPE_CHECKING:
    from gdq_models.networks.base import SuperResolutionNetwork
    from gdq_models.networks.shapes import Shapes


def _srresnet() -> type[SuperResolutionNetwork]:
    from gdq_models.networks.srresnet import SRResNet

    return SRResNet


def _edsr() -> type[SuperResolutionNetwork]:
    from gdq_models.networks.edsr import EDSR

    return EDSR


# Every network that a checkpoint can hold and a recipe can ask for, one entry each.
_NETWORKS: dict[str, Callable[[], type[SuperResolutionNetwork]]] = {
    "srresnet": _srresnet,
    "edsr": _edsr,
}


def network_names() -> tuple[str, ...]:
    """Returns the names of all networks."""
    return tuple(_NETWORKS)


def all_networks() -> tuple[type[SuperResolutionNetwork], ...]:
    """Returns every network, in order."""
    return tuple(load() for load in _NETWORKS.values())


def create_network(
    name: str, *, scale: int, channels: int, blocks: int, gate: GateKind
) -> SuperResolutionNetwork:
    """Builds a network by name, with new weights.

    Raises:
        CheckpointError: no network has this name.
        ValueError: there is none of this scale.
    """
    if name not in _NETWORKS:
        raise CheckpointError(f"unknown network {name!r}; there is {', '.join(network_names())}")
    create: Callable[..., SuperResolutionNetwork] = _NETWORKS[name]()
    return create(scale=scale, channels=channels, blocks=blocks, gate=gate)


def detect_network(shapes: Shapes) -> type[SuperResolutionNetwork]:
    """Returns the network that a state dict belongs to.

    Raises:
        CheckpointError: it belongs to none.
    """
    for network in all_networks():
        if network.detects(shapes):
            return network
    known = ", ".join(network_names())
    raise CheckpointError(f"the weights are of no known network (known: {known})")


def build_network(shapes: Shapes) -> SuperResolutionNetwork:
    """Builds the network that a state dict belongs to, with its sizes; weights are not copied.

    Raises:
        CheckpointError: it belongs to no network, or its sizes make no sense.
    """
    return detect_network(shapes).from_shapes(shapes)
