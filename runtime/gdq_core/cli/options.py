"""Options that several commands share: the same word means the same everywhere.

The choices are written out, because importing what they choose from would cost --help its speed;
a test keeps them in step.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from gdq_core.bit_widths import BIT_WIDTHS


class _Name(click.Path):
    """A path that has a name: "" would be the current folder, and is a variable that is not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse an empty name, and leave the others to click."""
        if not os.fspath(value):
            self.fail(
                "an empty name is given: name a file or folder, or . for this one", param, ctx
            )
        return super().convert(value, param, ctx)


PATH = _Name(path_type=Path)


def _parse_factor(text: str) -> float:
    """Read how many times: 1.5 or 1.5x."""
    try:
        return float(text.removesuffix("x"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} does not say how many times, as 1.5x does") from error


bundle_option = click.option(
    "-b", "--bundle", required=True, type=PATH, help="Folder that gdq-export wrote."
)

bits_option = click.option(
    "--bits",
    type=click.Choice(["auto", *map(str, BIT_WIDTHS)]),
    default="auto",
    show_default=True,
    help="One bit-width for all tiles, or auto: the predictor chooses for each tile.",
)

fab_option = click.option(
    "--fab",
    type=float,
    metavar="BITS",
    help="Instead of --bits: so many bits per tile, spent where they help most: on average over "
    "all pictures, or over each of them if the bundle has a gate.",
)

fab_cap_option = click.option(
    "--fab-cap",
    type=float,
    metavar="BITS",
    help="At most so many bits per tile in every picture, whatever it needs: it costs much of what "
    "--fab wins. Only of bundles that follow --fab across pictures.",
)

speed_option = click.option(
    "--speed",
    type=_parse_factor,
    metavar="FACTOR",
    help="Instead of --bits: at least so many times as fast as all tiles at 8 bits (1.5x), by what "
    "tiles cost on this device, with the least loss.",
)

flat_tiles_option = click.option(
    "--flat-tiles",
    type=click.Choice(["interpolate", "network"]),
    help="Tiles on which bicubic interpolation is as good: leave them to it, or not.  "
    "[default: interpolate; network with --bits or --policy paper]",
)

threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Tiles in parallel.  [default: one per processor]",
)

policy_option = click.option(
    "--policy",
    type=click.Choice(["uniform", "paper"]),
    default="uniform",
    show_default=True,
    help="All tiles of one size, or the published protocol: the last tile runs to the edge.",
)

engine_option = click.option(
    "--engine",
    type=click.Choice(["onnxruntime", "litert", "tensorflow", "gdq"]),
    help="What executes the bundle's graphs.  [default: gdq where it was built and the bundle has "
    "its format, else onnxruntime or litert]",
)

overwrite_option = click.option("--overwrite", is_flag=True, help="Replace existing output.")

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Result on stdout for people or for machines.",
)
