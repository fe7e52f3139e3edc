from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from exporter.networks import random, random_codes
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value
from gdq_exporter.targets.engine.widths import join_widths


def at_width(bits: int, **changes: Any) -> PackedModel:
    """A head and an integer layer; ``changes`` of the latter."""
    values = (
        Value(Kind.PICTURE, 3, 1),
        Value(Kind.CODES, 16, 1, signed=True, steps=(1 / bits,), bits=(bits,)),
        Value(Kind.PICTURE, 3, 2),
    )
    real: dict[str, Any] = {
        "weights": random(1, 16, 3, 3, 3), "weight_steps": None, "bias": random(1, 16)
    }  # fmt: skip
    integer: dict[str, Any] = {
        "weights": random_codes(12, 16, 3, 3),
        "weight_steps": np.ones(1, np.float32),
        "bias": random(1, 12, seed=bits),
    }
    common: dict[str, Any] = {
        "residual": None, "factor": 0.0, "slopes": None, "gains": None, "shifts": None
    }  # fmt: skip
    layers = (
        Layer(source=0, stream=None, codes=1, block=1, **real, **common),
        replace(Layer(source=1, stream=2, codes=None, block=2, **integer, **common), **changes),
    )
    return PackedModel(2, (bits,), values, layers)


def test_steps_bits_and_biases_are_put_side_by_side() -> None:
    joined = join_widths([at_width(4), at_width(5), at_width(8)])
    assert joined.bit_widths == (4, 5, 8)
    assert joined.values[1].steps == (1 / 4, 1 / 5, 1 / 8)
    assert joined.values[1].bits == (4, 5, 8)
    biases = [at_width(bits).layers[1].bias for bits in (4, 5, 8)]
    np.testing.assert_array_equal(joined.layers[1].bias, np.concatenate(biases))
    np.testing.assert_array_equal(joined.layers[0].bias, at_width(4).layers[0].bias)
    assert joined.layers[1].places == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": random_codes(12, 16, 3, 3, seed=1)},
        {"weights": random_codes(12, 16, 3, 3).astype(np.float32)},
        {"weight_steps": np.full(1, 2, np.float32)},
        {"weight_steps": np.ones(12, np.float32)},
        {"slopes": np.zeros(12, np.float32)},
        {"factor": 1.0},
        {"residual": 1},
        {"block": 1},
    ],
    ids=str,
)
def test_other_differences_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ExportError, match="its bit-widths have different weights; choose"):
        join_widths([at_width(4), at_width(5, **changes)])


def test_other_values_and_other_layers_are_refused() -> None:
    model = at_width(5)
    unsigned = (model.values[0], replace(model.values[1], signed=False), model.values[2])
    with pytest.raises(ExportError, match="its bit-widths have different activations"):
        join_widths([at_width(4), replace(model, values=unsigned)])
    with pytest.raises(ExportError, match="its bit-widths have different layers"):
        join_widths([at_width(4), replace(model, layers=model.layers[:1])])
