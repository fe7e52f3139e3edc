from __future__ import annotations

import numpy as np

from gdq_core.luma import luma


def test_luma_is_studio_range() -> None:
    black, white = luma(np.zeros((1, 1, 3))), luma(np.full((1, 1, 3), 255))
    np.testing.assert_allclose(black, [[16]])
    # (65.738 + 129.057 + 25.064) / 256 * 255 + 16
    np.testing.assert_allclose(white, [[235]], atol=1e-3)


def test_luma_weighs_red_green_blue_in_this_order() -> None:
    image = np.eye(3, dtype=np.uint8)[np.newaxis] * 100
    expected = 16 + 100 * np.array([[65.738, 129.057, 25.064]]) / 256
    np.testing.assert_allclose(luma(image), expected)
