"""The networks, in the order in which a state dict is tried against them."""

from __future__ import annotations

from gdq_models.errors import CheckpointError
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.edsr import EDSR
from gdq_models.networks.shapes import Shapes
from gdq_models.networks.srresnet import SRResNet

NETWORKS: tuple[type[SuperResolutionNetwork], ...] = (SRResNet, EDSR)
"""Every network that a checkpoint can hold."""


def detect_network(shapes: Shapes) -> type[SuperResolutionNetwork]:
    """Returns the network that a state dict belongs to.

    Raises:
        CheckpointError: it belongs to none.
    """
    for network in NETWORKS:
        if network.detects(shapes):
            return network
    known = ", ".join(network.name for network in NETWORKS)
    raise CheckpointError(f"the weights are of no known network (known: {known})")


def build_network(shapes: Shapes) -> SuperResolutionNetwork:
    """Builds the network that a state dict belongs to, with its sizes; weights are not copied.

    Raises:
        CheckpointError: it belongs to no network, or its sizes make no sense.
    """
    return detect_network(shapes).from_shapes(shapes)
