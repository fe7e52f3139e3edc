from __future__ import annotations

import numpy as np
import torch

from factories import sample_tiles, tiny_edsr
from gdq_core.bit_widths import FLOAT
from gdq_validate.engines.torch_engine import TorchEngine


def test_the_engine_is_the_network() -> None:
    network = tiny_edsr()
    engine = TorchEngine(network)
    for image in sample_tiles(4):
        tile = image.permute(1, 2, 0).byte().numpy()
        prediction = engine.predict(tile)
        expected = network.predict(image[None])
        assert prediction.bit_width == int(expected.bit_width)
        np.testing.assert_allclose(prediction.logits, expected.logits[0].detach(), rtol=1e-5)
        for bit_width in (4, 8, FLOAT):
            route = None if bit_width == FLOAT else network.route_for(torch.tensor([bit_width]))
            with torch.no_grad():
                output = network(image[None], route)[0].permute(1, 2, 0).round().clamp(0, 255)
            np.testing.assert_array_equal(engine.run(bit_width, tile), output.byte().numpy())
