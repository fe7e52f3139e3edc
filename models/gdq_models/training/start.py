"""The network that a training starts from."""

from __future__ import annotations

from pathlib import Path

import torch

from gdq_models.checkpoint import load_float_checkpoint
from gdq_models.errors import CheckpointError
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.edsr import EDSR
from gdq_models.networks.srresnet import SRResNet
from gdq_models.training.recipe import NetworkRecipe

_CLASSES: dict[str, type[EDSR] | type[SRResNet]] = {"edsr": EDSR, "srresnet": SRResNet}


def build_network(wanted: NetworkRecipe, weights: Path | None, seed: int) -> SuperResolutionNetwork:
    """Builds the network of a recipe.

    Args:
        wanted: class and sizes.
        weights: checkpoint to start from; steps and gate too, as far as it has them and the gate
            is of the kind that is wanted.
        seed: of whatever does not come from the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be used, or holds another network.
    """
    torch.manual_seed(seed)
    network = _CLASSES[wanted.name](
        scale=wanted.scale, channels=wanted.channels, blocks=wanted.blocks, gate=wanted.gate
    )
    # Every choice equally likely: one that a softmax has all but ruled out gets no gradient.
    for parameter in network.predictor.gate.linear.parameters():
        torch.nn.init.zeros_(parameter)
    if weights is None:
        return network
    loaded = load_float_checkpoint(weights).network
    if _describe(loaded) != _describe(network):
        raise CheckpointError(
            f"{weights} holds {_describe(loaded)}; the recipe asks for {_describe(network)}"
        )
    state = loaded.state_dict()
    without_gate = bool(loaded.predictor.e2b.entropies.isnan().all())
    if without_gate or loaded.predictor.gate.kind != wanted.gate:
        state = {key: value for key, value in state.items() if not key.startswith("predictor.")}
    network.load_state_dict(state, strict=False)
    return network


def _describe(network: SuperResolutionNetwork) -> str:
    return (
        f"{network.name} x{network.scale} with {network.blocks} blocks"
        f" of {network.channels} channels"
    )
