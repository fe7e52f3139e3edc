"""The list of networks, in the order in which they are tried on a state dict.

Each is imported only when it is asked for, so that the names are known without torch.
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


def _compact() -> type[SuperResolutionNetwork]:
    from gdq_models.networks.compact import Compact

    return Compact


# One entry for every network that a checkpoint can hold and a recipe can ask for.
_NETWORKS: dict[str, Callable[[], type[SuperResolutionNetwork]]] = {
    "srresnet": _srresnet,
    "edsr": _edsr,
    "compact": _compact,
}


def network_names() -> tuple[str, ...]:
    """Return the names of all networks."""
    return tuple(_NETWORKS)


def all_networks() -> tuple[type[SuperResolutionNetwork], ...]:
    """Return the classes of all networks, in the order in which they are tried."""
    return tuple(load() for load in _NETWORKS.values())


def create_network(
    name: str, *, scale: int, channels: int, blocks: int, gate: GateKind, **form: bool
) -> SuperResolutionNetwork:
    """Build a network by name, with new weights; ``form`` as that of another one of its class.

    Raises:
        CheckpointError: no network has this name.
        ValueError: the network does not exist at this scale.
    """
    if name not in _NETWORKS:
        raise CheckpointError(
            f"unknown network {name!r}; choose one of {', '.join(network_names())}"
        )
    create: Callable[..., SuperResolutionNetwork] = _NETWORKS[name]()
    return create(scale=scale, channels=channels, blocks=blocks, gate=gate, **form)


def detect_network(shapes: Shapes) -> type[SuperResolutionNetwork]:
    """Return the class of the network that a state dict belongs to.

    Raises:
        CheckpointError: it belongs to no known network.
    """
    for network in all_networks():
        if network.detects(shapes):
            return network
    known = ", ".join(network_names())
    raise CheckpointError(f"the weights belong to no known network (known: {known})")


def build_network(shapes: Shapes) -> SuperResolutionNetwork:
    """Build the network that a state dict belongs to, in its sizes, without copying weights.

    Raises:
        CheckpointError: it belongs to no known network, or its sizes do not fit.
    """
    return detect_network(shapes).from_shapes(shapes)
