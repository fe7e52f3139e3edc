"""State dicts with random weights in the key names of other projects."""

from __future__ import annotations

import torch
from torch import Tensor

State = dict[str, Tensor]

UPSAMPLERS = {2: (2,), 3: (3,), 4: (2, 2)}


class Maker:
    """Adds layers to a state dict, the way that ``nn.Module.state_dict`` names their parts."""

    def __init__(self, seed: int = 0) -> None:
        self.state: State = {}
        self._generator = torch.Generator().manual_seed(seed)

    def noise(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._generator)

    def conv(
        self, name: str, inputs: int, outputs: int, *, size: int = 3, bias: bool = True
    ) -> None:
        self.state[f"{name}.weight"] = self.noise(outputs, inputs, size, size) / (
            size * inputs**0.5
        )
        if bias:
            self.state[f"{name}.bias"] = self.noise(outputs) / 4

    def slope(self, name: str, count: int = 1) -> None:
        self.state[f"{name}.weight"] = 0.1 + self.noise(count).abs() / 4

    def norm(self, name: str, channels: int) -> None:
        self.state |= {
            f"{name}.weight": 1 + self.noise(channels) / 4,
            f"{name}.bias": self.noise(channels) / 4,
            f"{name}.running_mean": self.noise(channels),
            f"{name}.running_var": 0.5 + self.noise(channels).abs(),
            f"{name}.num_batches_tracked": torch.tensor(7),
        }

    def mean_shift(self, value_range: float) -> None:
        mean = value_range * torch.tensor([0.4488, 0.4371, 0.4040])
        for name, sign in (("sub_mean", -1), ("add_mean", 1)):
            self.state[f"{name}.weight"] = torch.eye(3).view(3, 3, 1, 1)
            self.state[f"{name}.bias"] = sign * mean


def edsr_pytorch(
    scale: int = 2, *, channels: int = 8, blocks: int = 2, value_range: float = 255.0
) -> State:
    """EDSR as ``src/model/edsr.py`` of EDSR-PyTorch names it."""
    make = Maker()
    make.mean_shift(value_range)
    make.conv("head.0", 3, channels)
    for block in range(blocks):
        make.conv(f"body.{block}.body.0", channels, channels)
        make.conv(f"body.{block}.body.2", channels, channels)
    make.conv(f"body.{blocks}", channels, channels)
    for stage, factor in enumerate(UPSAMPLERS[scale]):
        make.conv(f"tail.0.{2 * stage}", channels, channels * factor**2)
    make.conv("tail.1", channels, 3)
    return make.state


def basicsr_edsr(scale: int = 2, *, channels: int = 8, blocks: int = 2) -> State:
    """EDSR as ``basicsr/archs/edsr_arch.py`` names it."""
    make = Maker()
    make.conv("conv_first", 3, channels)
    for block in range(blocks):
        make.conv(f"body.{block}.conv1", channels, channels)
        make.conv(f"body.{block}.conv2", channels, channels)
    make.conv("conv_after_body", channels, channels)
    for stage, factor in enumerate(UPSAMPLERS[scale]):
        make.conv(f"upsample.{2 * stage}", channels, channels * factor**2)
    make.conv("conv_last", channels, 3)
    return make.state


def srvgg(scale: int = 2, *, channels: int = 8, blocks: int = 2) -> State:
    """SRVGGNetCompact as ``basicsr/archs/srvgg_arch.py`` and Real-ESRGAN name it."""
    make = Maker()
    for layer in range(blocks + 1):
        make.conv(f"body.{2 * layer}", channels if layer else 3, channels)
        make.slope(f"body.{2 * layer + 1}", channels)
    make.conv(f"body.{2 * blocks + 2}", channels, 3 * scale**2)
    return make.state


def cadyq_srresnet(scale: int = 2, *, channels: int = 8, blocks: int = 2) -> State:
    """SRResNet in float as ``model/srresnet.py`` of CADyQ names it."""
    make = Maker()
    make.mean_shift(255.0)
    make.conv("head.0", 3, channels, size=9, bias=False)
    make.slope("head.1")
    for block in range(blocks):
        for conv in ("conv1", "conv2"):
            make.conv(f"body.{block}.{conv}", channels, channels, bias=False)
        make.norm(f"body.{block}.bn1", channels)
        # One module, which CADyQ uses in all places: each has the same value in the file.
        make.state[f"body.{block}.act.weight"] = make.state["head.1.weight"]
        make.norm(f"body.{block}.bn2", channels)
    make.conv(f"body.{blocks}", channels, channels, bias=False)
    make.norm(f"body.{blocks + 1}", channels)
    for stage, _ in enumerate(UPSAMPLERS[scale]):
        make.conv(f"tail.0.{3 * stage}", channels, 4 * channels, bias=False)
        make.slope(f"tail.0.{3 * stage + 2}")
    make.conv("tail.1", channels, 3, size=9, bias=False)
    return make.state


def srgan_pytorch(
    scale: int = 2, *, channels: int = 8, blocks: int = 2, conv: str = "conv"
) -> State:
    """SRResNet as ``model.py`` of SRGAN-PyTorch names it; once ``conv`` was ``conv_block``."""
    make = Maker()
    make.conv(f"{conv}1.0", 3, channels, size=9)
    make.slope(f"{conv}1.1")
    for block in range(blocks):
        for layer in (0, 3):
            make.conv(f"trunk.{block}.rcb.{layer}", channels, channels, bias=False)
            make.norm(f"trunk.{block}.rcb.{layer + 1}", channels)
        make.slope(f"trunk.{block}.rcb.2")
    make.conv(f"{conv}2.0", channels, channels, bias=False)
    make.norm(f"{conv}2.1", channels)
    for stage, _ in enumerate(UPSAMPLERS[scale]):
        make.conv(f"upsampling.{stage}.upsample_block.0", channels, 4 * channels)
        make.slope(f"upsampling.{stage}.upsample_block.2")
    make.conv(f"{conv}3", channels, 3, size=9)
    return make.state
