"""State dicts whose keys a wrapper has prefixed: DataParallel, Lightning, torch.compile."""

from __future__ import annotations

from collections import defaultdict

from torch import Tensor

from gdq_models.errors import CheckpointError
from gdq_models.layouts.registry import is_network

_State = dict[str, Tensor]


def unwrap(state: _State) -> _State:
    """Return the network's own entries, with any wrapper's prefix removed from their keys.

    ``module.head.weight`` becomes ``head.weight``. Other entries beside a wrapped network, such as
    the weights of a loss, are dropped. A state dict without any network is returned unchanged.

    Raises:
        CheckpointError: there are several networks, and nothing says which one is meant.
    """
    if is_network(state):
        return state
    groups: defaultdict[str, _State] = defaultdict(dict)
    for key, value in state.items():
        prefix, dot, rest = key.partition(".")
        if dot:
            groups[prefix][rest] = value
    inside = {prefix: unwrap(group) for prefix, group in groups.items()}
    networks = {prefix: group for prefix, group in inside.items() if is_network(group)}
    if len(networks) > 1:
        names = " and ".join(f"{prefix!r}" for prefix in networks)
        raise CheckpointError(
            f"it holds several networks, under {names}: save the state dict of only one of them"
        )
    return next(iter(networks.values()), state)
