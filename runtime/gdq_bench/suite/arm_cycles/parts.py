"""What part of the engine an instruction belongs to, by the names of functions.

This is the one place that knows them: a kernel with a new name gets a line here. What no line fits
is shown as "other", so that a forgotten one is seen.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

from gdq_devices.emulated.llvm import Function

PRODUCTS, TRANSFORMS, EPILOGUE = "products", "transforms", "epilogue"
BODY, HEAD, BODY_END, TAIL, OTHER = "body", "head", "body end", "tail", "other"
PARTS = (PRODUCTS, TRANSFORMS, EPILOGUE, HEAD, BODY_END, TAIL, OTHER)

_STAGES = (
    # a function that runs one layer -> which layer that is; the first that fits
    (r"\b(run_)?head\b|\bHead<|\bpicture_border\b", HEAD),
    (r"\w*[tT]ransformed<.*(EightPoints<6>|SixPoints<4>)", BODY_END),
    (r"\w*[tT]ransformed<.*EightPoints<4>|\b(border|real_direct|real_narrow)\b", TAIL),
    (r"\bTransformed<|\bbody_transformed<", BODY),
    (r"\bRunner::", OTHER),
)
"""Functions that several layers share, as epilogues are, are missing: they belong to the last layer
that began."""

_BODY_PARTS = (
    # a function within a layer of the body, inlined or not -> what it does
    (r"\b(multiply\w*|accumulate|add_products|add_taps)\b", PRODUCTS),
    (r"\bfinish\w*\b|Finish<|^write\b", EPILOGUE),
    (
        r"\b((read|write)_(body_)?tiles?|transform_\w+|copy_\w+|run_rows|direct_\w+)\b",
        TRANSFORMS,
    ),
)


def stages_of(functions: Sequence[Function], base: int) -> Callable[[int], str | None]:
    """Make what tells an address's stage.

    Args:
        functions: of the engine, by address.
        base: where the library lies.

    """
    starts = [function.start for function in functions]

    def stage_of(address: int) -> str | None:
        number = bisect_right(starts, address - base) - 1
        if number < 0 or address - base >= functions[number].end:
            return None
        return _first(_STAGES, functions[number].name)

    return stage_of


def part_of(stage: str, frames: Sequence[str]) -> str:
    """Name the part that an instruction belongs to.

    Args:
        stage: that it was executed in; "" before any began.
        frames: names of the functions that it is in, the innermost first.

    """
    if stage != BODY:
        return stage or OTHER
    found = (_first(_BODY_PARTS, frame) for frame in frames)
    return next(filter(None, found), OTHER)


def _first(patterns: Sequence[tuple[str, str]], name: str) -> str | None:
    return next((meaning for pattern, meaning in patterns if re.search(pattern, name)), None)
