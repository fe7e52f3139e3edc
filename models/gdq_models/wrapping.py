"""State dicts that a wrapper has put a prefix before: DataParallel, Lightning, torch.compile."""

from __future__ import annotations

from collections import defaultdict

from torch import Tensor

from gdq_models.errors import CheckpointError
from gdq_models.networks.registry import all_networks
from gdq_models.networks.srresnet_released import is_released

_State = dict[str, Tensor]


def unwrap(state: _State) -> _State:
    """Return the network's own keys: the state as it is, or what is a network under a prefix.

    ``module.head.weight`` becomes ``head.weight``. Beside a wrapped network other things may lie,
    such as the weights of a loss. A state without any network is returned as it is.

    Raises:
        CheckpointError: there are several networks, so that it does not say which is meant.
    """
    if _is_network(state):
        return state
    groups: defaultdict[str, _State] = defaultdict(dict)
    for key, value in state.items():
        prefix, dot, rest = key.partition(".")
        if dot:
            groups[prefix][rest] = value
    inside = {prefix: unwrap(group) for prefix, group in groups.items()}
    networks = {prefix: group for prefix, group in inside.items() if _is_network(group)}
    if len(networks) > 1:
        names = " and ".join(f"{prefix!r}" for prefix in networks)
        raise CheckpointError(
            f"it holds several networks, under {names}: save the state dict of one of them"
        )
    return next(iter(networks.values()), state)


def _is_network(state: _State) -> bool:
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    return is_released(state) or any(network.detects(shapes) for network in all_networks())
