"""What the engine's tiles may cost on models of ARM processors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gdq_bench.protocol import Result


@dataclass(frozen=True)
class Bars:
    """The bars of one network on one core; None where nothing was promised.

    Attributes:
        cycles: bit-width -> millions of cycles, at most.
        ladder: 8 bits over 4, at least.
        lead: LiteRT's int8 over our 4 bits, at least.

    """

    cycles: Mapping[int, float]
    ladder: float | None = None
    lead: float | None = None


BARS = {
    # (network, core)
    ("mobile", "a76"): Bars({4: 36, 8: 56}, 1.5, 2.4),
    ("baseline", "a76"): Bars({4: 190, 8: 390}, 2.0, 2.5),
    ("mobile", "a55"): Bars({4: 105}, 1.45),
    ("baseline", "a55"): Bars({4: 540}, 1.9),
    ("mobile", "a710"): Bars({4: 29}),
    ("baseline", "a710"): Bars({4: 135}),
    ("mobile", "a53"): Bars({4: 210, 5: 210, 6: 210, 8: 210}),
}


def judge(network: str, core: str, ours: Mapping[int, float], litert: float | None) -> list[Result]:
    """Hold what was measured against the bars.

    Args:
        network: its name.
        core: its name.
        ours: bit-width -> cycles.
        litert: cycles of LiteRT's int8, if it was measured.

    """
    bars, place = BARS.get((network, core), Bars({})), f"{network} tile on {core}"
    results = [
        Result(name=f"{place}, {bits} bits", value=ours[bits] / 1e6, unit="M cycles", bar=bar)
        for bits, bar in bars.cycles.items()
        if bits in ours
    ]
    if bars.ladder is not None and {4, 8} <= set(ours):
        ladder = ours[8] / ours[4]
        results.append(
            Result(
                name=f"{place}, 8 bits over 4",
                value=ladder,
                unit="ratio",
                bar=bars.ladder,
                at_least=True,
            )
        )
    if bars.lead is not None and litert is not None and 4 in ours:
        name = f"{place}, LiteRT int8 over 4 bits"
        results.append(
            Result(name=name, value=litert / ours[4], unit="ratio", bar=bars.lead, at_least=True)
        )
    return results
