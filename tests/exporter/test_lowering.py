from __future__ import annotations

import onnx
import onnx_ir as ir
import pytest

from exporter.traced import NETWORKS, TILE, lowered, traced
from factories import sample_tiles
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter.config import PROFILES
from gdq_exporter.lowering import lower_shared, lower_width

TILES = sample_tiles(4, TILE).permute(0, 2, 3, 1).byte().numpy()


def text(model: ir.Model) -> bytes:
    content: bytes = ir.to_proto(model).SerializeToString(deterministic=True)
    return content


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_lowered_network_is_valid_standard_onnx(name: str, profile: str) -> None:
    network = lowered(name, 6, profile)
    assert network.bit_width == 6
    assert {node.domain for node in network.model.graph} == {""}
    onnx.checker.check_model(ir.to_proto(network.model), full_check=True)


def test_widths_do_not_touch_what_they_share() -> None:
    """In whichever order they are made, they come out the same."""
    shared = lower_shared(traced("edsr x2"), PROFILES["stream_float-tail_int8"])
    before, widths = text(shared), BIT_WIDTHS
    first = {width: text(lower_width(shared, width, TILES).model) for width in widths}
    second = {width: text(lower_width(shared, width, TILES).model) for width in reversed(widths)}
    assert text(shared) == before
    assert first == second


def test_weights_are_the_same_at_every_width() -> None:
    """Only then can a bundle store them once."""
    first, *others = (_integers(lowered("srresnet x2", width).model) for width in BIT_WIDTHS)
    assert len(first) > 0
    assert all(other == first for other in others)


def _integers(model: ir.Model) -> list[bytes]:
    constants = [value.const_value for value in model.graph.initializers.values()]
    weights = [c for c in constants if c is not None and c.dtype == ir.DataType.INT8]
    return sorted(weight.tobytes() for weight in weights)
