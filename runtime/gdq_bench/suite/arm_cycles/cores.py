"""The processors that are modelled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """A processor.

    Attributes:
        cpu: qemu's name of it: which instructions it has.
        model: LLVM's name of the model that weighs them.

    """

    cpu: str
    model: str


CORES = {
    # Its own instructions, without dot products. LLVM's model of the A53 is a rough one; the A55 is
    # its successor, and in order like it.
    "a53": Core("cortex-a53", "cortex-a55"),
    "a55": Core("cortex-a55", "cortex-a55"),
    "a76": Core("cortex-a76", "neoverse-n1"),
    "a710": Core("cortex-a710", "neoverse-n2"),
}
