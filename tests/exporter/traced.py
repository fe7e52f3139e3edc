"""Tiny networks, traced and lowered; tracing takes seconds, so each is traced once."""

from __future__ import annotations

from functools import lru_cache

import onnx_ir as ir

from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_core.bit_widths import BitWidth
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES
from gdq_exporter.lowering import LoweredNetwork, lower_shared, lower_width
from gdq_exporter.trace import trace
from gdq_models import SuperResolutionNetwork

TILE = 24

NETWORKS = ("edsr x2", "edsr x3", "edsr x4", "srresnet x2", "srresnet x4")
"""Names of the networks there are; "wide edsr x2" has a multiple of 16 channels."""

_MEAN = (114.4, 111.5, 103.0)


@lru_cache
def network(name: str) -> SuperResolutionNetwork:
    """One network by name; EDSR works on 0..1, at x3 with a mean shift."""
    kind, scale = name.split(" x")
    if kind == "wide edsr":  # as our own engine wants it
        return tiny_edsr(int(scale), channels=16, blocks=1)
    if kind == "srresnet":
        return tiny_srresnet(int(scale), channels=8, blocks=1)
    return tiny_edsr(int(scale), channels=8, blocks=2, mean=_MEAN if scale == "3" else (0, 0, 0))


def traced(name: str) -> ir.Model:
    """A fresh copy of its trace."""
    return _traced(name).clone()


@lru_cache
def _traced(name: str) -> ir.Model:
    return trace(network(name), TILE)


def lowered(name: str, bit_width: BitWidth, profile: str = DEFAULT_PROFILE) -> LoweredNetwork:
    """A fresh copy of the network lowered to one bit-width."""
    tiles = sample_tiles(16, TILE).permute(0, 2, 3, 1).byte().numpy()
    return lower_width(_shared(name, profile), bit_width, tiles)


@lru_cache
def _shared(name: str, profile: str) -> ir.Model:
    return lower_shared(traced(name), PROFILES[profile])
