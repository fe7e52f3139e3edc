"""The layouts, in the order in which they are tried; and what is known, but not supported."""

from __future__ import annotations

import re

from gdq_models.errors import CheckpointError
from gdq_models.layouts.base import Layout, State
from gdq_models.layouts.basicsr_edsr import BASICSR_EDSR
from gdq_models.layouts.cadyq_srresnet import CADYQ_SRRESNET
from gdq_models.layouts.edsr_pytorch import EDSR_PYTORCH
from gdq_models.layouts.granular_dq import GRANULAR_DQ
from gdq_models.layouts.srgan_pytorch import SRGAN_PYTORCH
from gdq_models.layouts.srvgg import SRVGG
from gdq_models.networks.registry import all_networks, network_names
from gdq_models.networks.shapes import Shapes

LAYOUTS: tuple[Layout, ...] = (
    GRANULAR_DQ,
    # Has the names of the one before, and no quantizers.
    CADYQ_SRRESNET,
    SRGAN_PYTORCH,
    EDSR_PYTORCH,
    BASICSR_EDSR,
    SRVGG,
)

_UNSUPPORTED: dict[str, str] = {
    "RRDBNet (ESRGAN, Real-ESRGAN)": (
        r"body\.0\.rdb1\.conv1\.weight|RRDB_trunk\.0\.RDB1\.conv1\.weight"
        r"|model\.1\.sub\.0\.RDB1\.conv1\.0\.weight"
    ),
    "HAT": r"layers\.0\.residual_group\.overlap_attn\.qkv\.weight",
    "SwinIR": r"layers\.0\.residual_group\.blocks\.0\.attn\.qkv\.weight",
    "IDN": r"dblocks\.0\.enhancement_top\.0\.weight",
    "MSRResNet of BasicSR (bilinear skip)": r"upconv1\.weight",
    "RCAN": r"body\.0\.body\.0\.body\.0\.weight|body\.0\.residual_group\.0\.rcab\.0\.weight",
}
"""Name -> a key that it has, and that no network tried before it has; in the order of trial."""


def is_network(state: State) -> bool:
    """Tell whether a state dict has our layout or one of the others, whole or partial."""
    shapes = _shapes_of(state)
    return _find_layout(shapes) is not None or _is_ours(shapes)


def to_our_layout(state: State) -> State:
    """Return the state dict of a network in our layout, from whichever it has.

    Raises:
        CheckpointError: it belongs to no network that is supported (the message says which one it
            looks like), or is incomplete.
    """
    shapes = _shapes_of(state)
    layout = _find_layout(shapes)
    if layout is not None:
        return layout.read(state)
    if not _is_ours(shapes):
        raise CheckpointError(_describe_unknown(shapes))
    return state


def _shapes_of(state: State) -> Shapes:
    return {key: tuple(value.shape) for key, value in state.items()}


def _find_layout(shapes: Shapes) -> Layout | None:
    return next((layout for layout in LAYOUTS if layout.detects(shapes)), None)


def _is_ours(shapes: Shapes) -> bool:
    return any(network.detects(shapes) for network in all_networks())


def _describe_unknown(shapes: Shapes) -> str:
    titles = [f"{', '.join(network_names())} of this project"]
    supported = "; ".join(titles + [layout.title for layout in LAYOUTS])
    # A wrapper's prefix is taken off only from networks that are supported; it has no number.
    looks = (
        name
        for name, pattern in _UNSUPPORTED.items()
        if any(re.fullmatch(rf"(?:\D*\.)?(?:{pattern})", key) for key in shapes)
    )
    if name := next(looks, None):
        return f"this looks like {name}, which is not supported; supported: {supported}"
    return f"the weights belong to no known network; supported: {supported}"
