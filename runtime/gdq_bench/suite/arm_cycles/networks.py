"""The networks that are modelled, exported once, and the emulated machine that runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from gdq_devices.emulated.__main__ import CONSTRAINTS
from gdq_devices.emulated.llvm import Llvm, add_llvm
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.emulated.once import build_once, is_built
from gdq_devices.emulated.setup import set_up

ROOT = Path(__file__).resolve().parents[4]
NETWORKS = {
    # name -> checkpoint of the zoo
    "mobile": ROOT / "models/zoo/edsr_mobile_x2/edsr_mobile_x2.safetensors",
    "baseline": ROOT / "models/zoo/edsr_baseline_x2/edsr_baseline_x2.safetensors",
}


def set_up_machine(say: Callable[[str], None]) -> tuple[Machine, Llvm]:
    """Set up what is missing of the emulated machine and LLVM.

    Raises:
        UnavailableError: this machine cannot have them, through no fault of the project.
        SetupError: a part cannot be built.

    """
    machine = Machine(FOLDER)
    set_up(machine, CONSTRAINTS, say)
    return machine, add_llvm(machine, say)


def find_bundle(machine: Machine, network: str, say: Callable[[str], None]) -> Path:
    """Export a network unless the same one was exported by the same code before."""
    folder = machine.folder / "bundles" / network
    recipe = _fingerprint(NETWORKS[network])
    if not is_built(folder, recipe):
        say(f"exporting {NETWORKS[network].stem}")
        build_once(folder, recipe, lambda empty: _export(NETWORKS[network], empty / "bundle"))
    return folder / "bundle"


def _export(checkpoint: Path, target: Path) -> None:
    from gdq_exporter import export  # torch takes seconds to import

    export(checkpoint, target)


def _fingerprint(checkpoint: Path) -> str:
    """Hash everything that determines a bundle."""
    sources = sorted(
        path for part in ("models", "exporter", "runtime") for path in (ROOT / part).rglob("*.py")
    )
    total = hashlib.sha256()
    for path in (checkpoint, *sources):
        total.update(path.read_bytes())
    return total.hexdigest()
