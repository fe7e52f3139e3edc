from __future__ import annotations

import math

import pytest

from gdq_models.networks.blocks import upsampling_factors


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_factors_multiply_to_the_scale(scale: int) -> None:
    factors = upsampling_factors(scale)
    assert math.prod(factors) == scale
    assert set(factors) <= {2, 3}


@pytest.mark.parametrize("scale", [0, 1, 5, 8])
def test_another_scale_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match=f"got {scale}"):
        upsampling_factors(scale)
