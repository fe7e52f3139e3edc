"""Level 3 of the numerics contract for the engine on ARM64, against the same kernels here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from arm64.answers import LARGEST_SHARE
from arm64.packed_model import run_tiles
from engine.kernel_interface import KernelLibrary
from engine.library import need_library
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_devices.emulated.machine import CPUS, FOLDER, Machine
from gdq_exporter.calibration import load_calibration
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES
from gdq_exporter.lowering import lower_shared, lower_width
from gdq_exporter.targets.engine.writer import pack
from gdq_exporter.trace import trace
from gdq_models import load_checkpoint
from gdq_runtime.engines.native_library import NativeModel

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "models/zoo/edsr_mobile_x2/edsr_mobile_x2.safetensors"
PROGRAM = Path(__file__).with_name("packed_model.py")
TILE = 48
LONGEST_RUN = 300.0
"""Seconds after which a processor counts as hung."""
NEON = dict.fromkeys((4, 5, 6, 8), "f44_int16")
DOTPROD = {4: "k44_int8", 5: "k42_int8", 6: "f22_int8", 8: "direct_int8"}
KERNELS = {"neon": NEON, "dotprod": DOTPROD, "i8mm": DOTPROD}
"""Instruction set -> bit-width -> kernel that is fastest there."""
BEYOND_ONE = {"neon": 0.05, "dotprod": LARGEST_SHARE, "i8mm": LARGEST_SHARE}
"""Largest share of samples more than one apart. Layers of f44_int16 end in registers on NEON, where
the streams of a skip path share one step, and in memory on AVX-512, where each has its own."""
INSTRUCTION_SETS = {
    "cortex-a53": ("neon",),
    "cortex-a76": ("dotprod", "neon"),
    "cortex-a710": ("i8mm", "dotprod", "neon"),
}

pytestmark = pytest.mark.timeout(2 * LONGEST_RUN)

Pictures = dict[str, NDArray[np.uint8]]


@pytest.fixture(scope="module")
def tiles() -> NDArray[np.uint8]:
    return load_calibration(None, TILE, 2).tiles[:2]


@pytest.fixture(scope="module")
def content(tiles: NDArray[np.uint8]) -> bytes:
    """The zoo's smallest network, packed."""
    shared = lower_shared(
        trace(load_checkpoint(CHECKPOINT).network, TILE), PROFILES[DEFAULT_PROFILE]
    )
    return pack([lower_width(shared, width, tiles) for width in BIT_WIDTHS], tiles).to_bytes()


@pytest.fixture(scope="module", params=CPUS)
def pictures(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, content: bytes,
    tiles: NDArray[np.uint8],
) -> tuple[str, Pictures]:  # fmt: skip
    """A processor and what it made of the tiles."""
    machine, folder = Machine(FOLDER), tmp_path_factory.mktemp("packed")
    assert machine.library.is_file(), "the emulated machine is not set up: say make test-arm64"
    cpu: str = request.param
    model, inputs, answer = (folder / name for name in ("model.gdq", "tiles.npy", "answer.npz"))
    model.write_bytes(content)
    np.save(inputs, tiles)
    files = map(str, (machine.library, model, inputs, answer))
    machine.run(cpu, PROGRAM, *files, packages=[ROOT / "runtime"], seconds=LONGEST_RUN)
    with np.load(answer) as stored:
        return cpu, dict(stored)


def test_every_width_has_its_kernel(pictures: tuple[str, Pictures]) -> None:
    cpu, made = pictures
    assert list(made) == [
        f"{name}/{width}/{kernel}"
        for name in INSTRUCTION_SETS[cpu]
        for width, kernel in KERNELS[name].items()
    ]


def test_pictures_keep_the_contract(
    pictures: tuple[str, Pictures], content: bytes, tiles: NDArray[np.uint8]
) -> None:
    """Over all widths of an instruction set, as gdq-validate judges an engine."""
    library, (cpu, made) = need_library(), pictures
    apart: dict[str, list[NDArray[np.int64]]] = {name: [] for name in INSTRUCTION_SETS[cpu]}
    for key, one in made.items():
        name, width, kernel = key.split("/")
        expected = reference(library, content, int(width), kernel, tiles)
        apart[name].append(np.abs(one.astype(np.int64) - expected))
    for name, found in apart.items():
        assert (np.stack(found) > 1).mean() <= BEYOND_ONE[name], name


def reference(
    library: KernelLibrary, content: bytes, bit_width: int, kernel: str, tiles: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The same kernel on the best instruction set here that has it: weights differ between two."""
    sets = [isa for isa, is_there in library.instruction_sets().items() if is_there]
    isa = next(isa for isa in sets if library.has_kernel(isa, kernel))
    model = NativeModel(library, content, isa)
    assert library.choose_kernel(model, bit_width, kernel), library.last_error()
    return run_tiles(model, bit_width, tiles)
