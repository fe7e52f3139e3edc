"""The network that training starts from."""

from __future__ import annotations

from pathlib import Path

import torch

from gdq_models.checkpoint import is_float_weight, load_float_checkpoint
from gdq_models.errors import CheckpointError
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.networks.compact import Compact
from gdq_models.networks.edsr import EDSR
from gdq_models.networks.registry import create_network
from gdq_models.networks.srresnet import SRResNet
from gdq_models.training.recipe import NetworkRecipe
from gdq_models.training.start_as_edsr import begin_as_edsr

_VALUES = ("value_range", "mean")
"""Keys that describe the values of images inside a network."""


def build_network(wanted: NetworkRecipe, weights: Path | None, seed: int) -> SuperResolutionNetwork:
    """Build the network of a recipe.

    Args:
        wanted: class and sizes of the network.
        weights: checkpoint to start from. Its steps and gate are used too, as far as it has them
            and the gate is of the kind wanted; only its float weights are used if it has another
            scale, or is an EDSR that becomes an SRResNet.
        seed: seed of everything that does not come from the checkpoint.

    Raises:
        CheckpointError: the checkpoint cannot be used, or holds another network.
    """
    given = None if weights is None else load_float_checkpoint(weights).network
    form = given.form if given is not None and given.name == wanted.name else {}
    torch.manual_seed(seed)
    network = create_network(
        wanted.name,
        scale=wanted.scale,
        channels=wanted.channels,
        blocks=wanted.blocks,
        gate=wanted.gate,
        **form,
    )
    # All choices start equally likely: one that a softmax nearly rules out gets no gradient.
    for parameter in network.gate_predictor.gate.linear.parameters():
        torch.nn.init.zeros_(parameter)
    if weights is not None and given is not None:
        _carry_over(given, network, weights)
    return network


def _carry_over(given: SuperResolutionNetwork, network: SuperResolutionNetwork, file: Path) -> None:
    sizes = [(one.channels, one.blocks) for one in (given, network)]
    if sizes[0] != sizes[1] or not isinstance(given, type(network) | EDSR):
        raise CheckpointError(
            f"{file} holds {_describe(given)}; the recipe asks for {_describe(network)}"
        )
    if isinstance(network, SRResNet) and isinstance(given, EDSR):
        if given.scale != network.scale:
            raise CheckpointError(f"{file} is an EDSR x{given.scale}, not x{network.scale}")
        begin_as_edsr(network, given)
    elif given.scale != network.scale:
        _begin_as_other_scale(network, given)
    else:
        _continue(network, given)


def _continue(network: SuperResolutionNetwork, given: SuperResolutionNetwork) -> None:
    """Take everything except a gate of another kind, or one that never had a table."""
    state = given.state_dict()
    if given.predictor.kind != network.predictor.kind or _never_had_a_table(given):
        state = {key: value for key, value in state.items() if not key.startswith("predictor.")}
    network.load_state_dict(state, strict=False)


def _never_had_a_table(network: SuperResolutionNetwork) -> bool:
    return bool(network.gate_predictor.e2b.entropies.isnan().all())


def _begin_as_other_scale(network: SuperResolutionNetwork, given: SuperResolutionNetwork) -> None:
    """Take the float weights except the upsampler (EDSR, section 3.2: x3 and x4 begin as x2).

    Both stages of an x4 upsampler begin as the only stage of x2.
    """
    state = {
        key: value
        for key, value in given.state_dict().items()
        if is_float_weight(key) or key in _VALUES
    }
    upsampler = {key: state.pop(key) for key in list(state) if key.startswith("up.")}
    if (given.scale, network.scale) == (2, 4):
        for key, value in upsampler.items():
            state[key] = state[key.replace("up.0.", "up.1.", 1)] = value
    if isinstance(network, Compact):  # whose last convolution is its upsampler
        state = {key: value for key, value in state.items() if not key.startswith("tail.")}
    network.load_state_dict(state, strict=False)


def _describe(network: SuperResolutionNetwork) -> str:
    return (
        f"{network.name} x{network.scale} with {network.blocks} blocks"
        f" of {network.channels} channels"
    )
