"""``python -m gdq_bench.suite.arm_cycles``: a part of the benchmark, in more detail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import click

from gdq_bench.suite.arm_cycles.cores import CORES
from gdq_bench.suite.arm_cycles.measure import ENGINES, OWN, PREDICTOR, TileCycles
from gdq_bench.suite.arm_cycles.networks import NETWORKS
from gdq_bench.suite.arm_cycles.parts import PARTS
from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result, say
from gdq_devices.errors import ProgramError, SetupError, UnavailableError

_BITS = ("4", "5", "6", "8")


@click.command(cls=Command)
@click.option("--cpu", "cores", multiple=True, type=click.Choice(list(CORES)), default=["a76"])
@click.option(
    "--network", "networks", multiple=True, type=click.Choice(list(NETWORKS)), default=["mobile"]
)
@click.option(
    "--bundle", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Measure this one instead of a network of the zoo.",
)  # fmt: skip
@click.option("--engine", "engines", multiple=True, type=click.Choice(ENGINES), default=[OWN])
@click.option("--bits", default=",".join((*_BITS, PREDICTOR)), show_default=True)
@click.option("--isa", default="", help="Instruction set of our engine.  [default: the best]")
@click.option("--blocks", default=0, help="Show the blocks that cost most, so many of them.")
def main(
    cores: Sequence[str],
    networks: Sequence[str],
    bundle: Path | None,
    engines: Sequence[str],
    bits: str,
    isa: str,
    blocks: int,
) -> None:
    """Print the cycles of one tile, in millions, on models of ARM processors.

    --cpu, --network and --engine may be given several times. All of it takes an hour, one processor
    with one network on our engine some minutes.
    """
    from gdq_bench.suite.arm_cycles.measure import measure_tile
    from gdq_bench.suite.arm_cycles.networks import find_bundle, set_up_machine

    what = bits.split(",")
    if unknown := [one for one in what if one not in (*_BITS, PREDICTOR)]:
        raise click.UsageError(f"--bits takes {', '.join((*_BITS, PREDICTOR))}, not {unknown[0]!r}")
    try:
        machine, llvm = set_up_machine(_say)
        bundles = {name: find_bundle(machine, name, _say) for name in networks if bundle is None}
        if bundle is not None:
            bundles = {bundle.name: bundle}
        for network, folder in bundles.items():
            for core in cores:
                for engine in engines:
                    found = measure_tile(machine, llvm, CORES[core], folder, engine, what, isa)
                    _show(f"{network}, {core}, {engine}", found, blocks)
    except (UnavailableError, SetupError, ProgramError) as error:
        raise click.ClickException(str(error)) from error


def _say(line: str) -> None:
    say(f"{line} ...")


def _show(title: str, found: Sequence[TileCycles], blocks: int) -> None:
    parts = [part for part in PARTS if any(one.parts.get(part) for one in found)]
    print_result(f"{title}, millions")
    print_result("".join(f"{name:>13}" for name in ("", "instructions", "cycles", *parts)))
    for one in found:
        numbers = [one.instructions, one.cycles, *(one.parts.get(part, 0.0) for part in parts)]
        print_result(f"{one.what:>13}" + "".join(f"{number / 1e6:13.2f}" for number in numbers))
    for one in found if blocks else ():
        print_result(f"hottest at {one.what}")
        for block in one.hottest[:blocks]:
            share = block.cycles / one.cycles
            print_result(
                f"  {share:6.1%} {block.executions:>9} x {block.cycles / block.executions:7.1f} "
                f"cycles of {len(block.instructions):>4} instructions  {_shorten(block.function)}"
            )


def _shorten(function: str) -> str:
    """Leave out namespaces and the types of arguments."""
    return re.sub(r"\b\w+::(?=\w)", "", function).partition("(")[0]


if __name__ == "__main__":
    main()
