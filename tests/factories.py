"""Tiny networks with sane random weights and learned steps, built in code."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gdq_models import (
    EDSR,
    BitPredictor,
    Compact,
    EntropyTable,
    SRResNet,
    SuperResolutionNetwork,
    tile_entropy,
)
from gdq_models.networks.srresnet import ResidualBlock, UpsamplingStage
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.quantizers.convolution import QuantizedConv2d

TILE = 32


def sample_tiles(count: int = 16, size: int = TILE, seed: int = 0) -> Tensor:
    """Returns (count, 3, size, size) whole numbers of 0..255, from nearly flat to noisy."""
    generator = torch.Generator().manual_seed(seed)
    base = torch.rand(count, 3, 1, 1, generator=generator) * 255
    noise = torch.randn(count, 3, size, size, generator=generator)
    strength = torch.linspace(0.5, 60, count).view(-1, 1, 1, 1)
    ramp = torch.linspace(-1, 1, size).view(1, 1, 1, size)
    return (base + strength * (noise + ramp)).clamp(0, 255).round()


def tiny_edsr(
    scale: int = 2,
    gate: GateKind = "linear",
    seed: int = 0,
    *,
    channels: int = 16,
    blocks: int = 2,
    value_range: float = 1.0,
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> EDSR:
    """Returns an EDSR ready to run at every width; its predictor gives several widths."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = EDSR(
            scale=scale,
            channels=channels,
            blocks=blocks,
            gate=gate,
            value_range=value_range,
            mean=mean,
        )
        _make_ready(network, seed)
    return network


def tiny_srresnet(
    scale: int = 2,
    gate: GateKind = "linear",
    seed: int = 0,
    *,
    channels: int = 16,
    blocks: int = 2,
    bias: bool = False,
    norm_first: bool = False,
) -> SRResNet:
    """Returns an SRResNet ready to run, with lively norms, slopes and shortcuts."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SRResNet(
            scale=scale,
            channels=channels,
            blocks=blocks,
            gate=gate,
            bias=bias,
            norm_first=norm_first,
        )
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.1)
            if isinstance(module, nn.PReLU):
                nn.init.uniform_(module.weight, 0.05, 0.4)
        for block in network.body:
            assert isinstance(block, ResidualBlock)
            nn.init.uniform_(block.shortcut, 0.8, 1.2)
        _make_ready(network, seed)
    return network


def tiny_compact(
    scale: int = 2, gate: GateKind = "linear", seed: int = 0, *, channels: int = 16, blocks: int = 2
) -> Compact:
    """Returns a Compact ready to run, with lively slopes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Compact(scale=scale, channels=channels, blocks=blocks, gate=gate)
        for module in network.modules():
            if isinstance(module, nn.PReLU):
                nn.init.uniform_(module.weight, 0.05, 0.4)
        _make_ready(network, seed)
    return network


TINY: dict[str, Callable[..., SuperResolutionNetwork]] = {
    "edsr": tiny_edsr,
    "srresnet": tiny_srresnet,
    "compact": tiny_compact,
}
"""One for each entry of the registry."""


def released_state_dict(
    network: SRResNet, *, quantile_shape: tuple[int, ...] = (1,)
) -> dict[str, Tensor]:
    """Returns the network's weights in the layout of the released code (paper notes, section 5).

    Everything that the released state dict holds is there, what its forward pass ignores too.
    """
    gate = network.gate_predictor.gate.linear
    fine, median, coarse = gate.weight.detach().chunk(3, dim=1)
    state = {
        "sub_mean.weight": torch.eye(3).view(3, 3, 1, 1),
        "sub_mean.bias": torch.full((3,), -110.0),
        "add_mean.weight": torch.eye(3).view(3, 3, 1, 1),
        "add_mean.bias": torch.full((3,), 110.0),
        "encoder.gate.0.weight": torch.cat([coarse, fine, median], dim=1),
        "encoder.gate.0.bias": gate.bias,
        "head.0.weight": network.head.weight,
        "head.1.weight": network.head_act.weight,
        "tail.1.weight": network.tail.weight,
    }
    for which, quantile in enumerate(network.gate_predictor.e2b.quantiles.float(), start=1):
        key = f"encoder.second_divide_bit.fine_grain_ratito{which}"
        state[key] = quantile.reshape(quantile_shape)
    for number, block in enumerate(network.body):
        assert isinstance(block, ResidualBlock)
        state |= _released_block(f"body.{number}", block)
    state[f"body.{network.blocks}.weight"] = network.body_end.weight
    state |= _prefixed(f"body.{network.blocks + 1}.", network.body_end_norm)
    for number, stage in enumerate(network.up):
        assert isinstance(stage, UpsamplingStage)
        state[f"tail.0.{3 * number}.weight"] = stage.conv.weight
        state[f"tail.0.{3 * number + 2}.weight"] = stage.act.weight
    return {key: value.detach().clone() for key, value in state.items()}


def _make_ready(network: EDSR | SRResNet | Compact, seed: int) -> None:
    tiles = sample_tiles(seed=seed)
    all_eight = network.route_for(torch.full((len(tiles),), 8))
    with torch.no_grad():
        # Features as strong as the residuals that are added to them, so that widths matter.
        network.head.weight.div_(network.features(tiles).std())
        # One training pass initialises every step and settles the norms' statistics.
        network.train()(tiles, all_eight)
        output = network.eval()(tiles, all_eight)
        network.tail.weight.mul_(40 / output.std())
        # A Compact adds to the picture, which is where it should be.
        if network.tail.bias is not None and not isinstance(network, Compact):
            centred = network(tiles, all_eight).mean(dim=(0, 2, 3)) - 128
            network.tail.bias.sub_(centred * float(network.value_range) / 255)
        _balance_predictor(network.gate_predictor, network.features(tiles), tiles)


def _balance_predictor(predictor: BitPredictor, features: Tensor, tiles: Tensor) -> None:
    """Shifts and scales logits, and fits the entropy table, so that each width wins some tiles."""
    linear = predictor.gate.linear
    logits = predictor.gate(features)
    spread = logits.std(dim=0).clamp_min(1e-3)
    linear.weight.div_(spread[:, None])
    linear.bias.sub_(logits.mean(dim=0)).div_(spread)
    linear.bias[2] += 0.7
    table = EntropyTable.build(tile_entropy(tiles).tolist(), tile=TILE, scale=2)
    predictor.e2b.set_table(table)
    predictor.e2b.quantiles.copy_(torch.tensor([0.3, 0.6], dtype=torch.float64))


def _prefixed(prefix: str, module: nn.Module) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in module.state_dict().items()}


def _released_block(name: str, block: ResidualBlock) -> dict[str, Tensor]:
    state = {
        f"{name}.learnable_shortcut": block.shortcut,
        f"{name}.act.weight": block.act.weight,
        f"{name}.act_q.alpha": torch.tensor([1e-38]),
        f"{name}.act_q.init_state": torch.zeros(1),
        f"{name}.act_q.signed": torch.zeros(1),
        **_prefixed(f"{name}.bn1.", block.norm1),
        **_prefixed(f"{name}.bn2.", block.norm2),
    }
    for layer in ("conv1", "conv2"):
        conv: QuantizedConv2d = getattr(block, layer)
        state |= {
            f"{name}.{layer}.weight": conv.weight,
            f"{name}.{layer}.alpha": conv.weight_quantizer.step.reshape(1),
            f"{name}.{layer}.init_state": torch.ones(1),
            f"{name}.{layer}.channel_threshold": torch.zeros(1, conv.in_channels, 1, 1),
        }
        four, five, six, eight = conv.act.steps.detach().reshape(4, 1)
        for number, step in enumerate((four, six, eight, five), start=1):
            quantizer = f"{name}.{layer}.quant_act{number}"
            state[f"{quantizer}.alpha"] = step
            state[f"{quantizer}.init_state"] = torch.ones(1)
            state[f"{quantizer}.signed"] = conv.act.signed.float().reshape(1)
    return state
