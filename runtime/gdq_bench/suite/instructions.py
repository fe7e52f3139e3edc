"""``python -m gdq_bench.suite.instructions``: instructions of a tile on emulated ARM64 processors.

A stated stand-in for time, which an emulator cannot tell: it leaves out how many instructions a
processor runs at a time, and what it waits for.
"""

from __future__ import annotations

from pathlib import Path

import click

from gdq_devices.emulated.instructions import count_instructions
from gdq_devices.emulated.machine import CPUS, FOLDER, Machine

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("emulated_tile.py")
LONGEST_RUN = 3600.0
LIBRARIES = {
    "onnxruntime": ("onnxruntime_pybind11_state", "libc.so"),
    "litert": ("libpywrap_litert_common", "libc.so"),
}
OWN_LIBRARIES = ("libgdq_engine", "libc.so")
WIDTHS = ("4", "5", "6", "8")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bundle", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("runners", nargs=-1, required=True)
@click.option("--cpu", type=click.Choice(CPUS), default="cortex-a76", show_default=True)
def main(bundle: Path, runners: tuple[str, ...], cpu: str) -> None:
    """Count the instructions of a tile of BUNDLE at every bit-width.

    RUNNERS: engines, or instruction sets of the engine gdq, e.g. litert dotprod neon. Takes minutes
    for each. The emulated machine is set up by python -m gdq_devices.emulated.
    """
    machine = Machine(FOLDER)
    for name in runners:
        own = name not in LIBRARIES
        counts = count_instructions(
            machine, cpu, PROGRAM, str(bundle), f"{machine.library}:{name}" if own else name,
            *WIDTHS, packages=[ROOT / "runtime"],
            libraries=OWN_LIBRARIES if own else LIBRARIES[name], seconds=LONGEST_RUN,
        )  # fmt: skip
        # Between the two marks of a width; what lies between two widths prepares the next one.
        for width, count in zip(WIDTHS, counts[::2], strict=True):
            click.echo(f"{cpu:<12} {name:<12}{width:>3} bits {count / 1e6:>10,.1f} million")


if __name__ == "__main__":
    main()
