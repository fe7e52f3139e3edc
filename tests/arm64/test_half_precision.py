"""What half precision at the ends of a network costs a picture (docs/numerics.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from arm64.half_precision import __file__ as PROGRAM
from arm64.test_packed_model import CHECKPOINT, LONGEST_RUN, ROOT
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.fidelity import psnr
from gdq_core.resampling import make_smaller
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_exporter.calibration import load_calibration
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES
from gdq_exporter.lowering import lower_shared, lower_width
from gdq_exporter.targets.engine.writer import pack
from gdq_exporter.trace import trace
from gdq_models import load_checkpoint

TILE, SCALE = 48, 2
LARGEST_LOSS = 0.01
"""dB of luma PSNR, at any width, over the tiles together."""

pytestmark = pytest.mark.timeout(2 * LONGEST_RUN)

Pictures = dict[str, NDArray[np.uint8]]


@pytest.fixture(scope="module")
def truth() -> NDArray[np.uint8]:
    return load_calibration(None, TILE * SCALE, 4).tiles


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, truth: NDArray[np.uint8]) -> Pictures:
    """What an emulated Cortex-A76 made of the tiles."""
    machine, folder = Machine(FOLDER), tmp_path_factory.mktemp("half")
    assert machine.library.is_file(), "the emulated machine is not set up: say make test-arm64"
    tiles = np.stack([make_smaller(picture, SCALE) for picture in truth])
    shared = lower_shared(
        trace(load_checkpoint(CHECKPOINT).network, TILE), PROFILES[DEFAULT_PROFILE]
    )
    packed = pack([lower_width(shared, width, tiles) for width in BIT_WIDTHS], tiles)
    model, inputs, answer = (folder / name for name in ("model.gdq", "tiles.npy", "answer.npz"))
    model.write_bytes(packed.to_bytes())
    np.save(inputs, tiles)
    machine.run(
        "cortex-a76", Path(PROGRAM), *map(str, (machine.test_library, model, inputs, answer)),
        packages=[ROOT / "runtime", ROOT / "tests"], seconds=LONGEST_RUN,
    )  # fmt: skip
    with np.load(answer) as stored:
        return dict(stored)


@pytest.mark.parametrize("bits", BIT_WIDTHS)
def test_costs_a_picture_next_to_nothing(
    pictures: Pictures, truth: NDArray[np.uint8], bits: int
) -> None:
    half, exact = (pictures[f"{ends}/{bits}"] for ends in ("half", "float"))
    assert (half != exact).any(), "the processor computed nothing in half precision"
    losses = [
        psnr(high, one) - psnr(high, other)
        for high, one, other in zip(truth, exact, half, strict=True)
    ]
    assert np.mean(losses) <= LARGEST_LOSS
