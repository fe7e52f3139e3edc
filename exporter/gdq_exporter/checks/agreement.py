"""One engine's golden tiles, run by another: a failure ends the export."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_exporter.errors import ExportError
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_validate.agreement import LARGEST_SHARE, Agreement, compare_with_golden


def check_agreement(bundle: Bundle, golden: Sequence[GoldenTile], engine: Engine) -> Agreement:
    """Runs golden tiles of another engine.

    Args:
        bundle: whose tiles they are.
        golden: tiles and expected outputs.
        engine: open on the bundle.

    Raises:
        ExportError: more samples differ by more than one than the contract allows.
    """
    result = compare_with_golden(bundle, golden, engine)
    if result.beyond_one > LARGEST_SHARE:
        raise ExportError(
            f"{engine.name} differs from the golden tiles by more than one on "
            f"{100 * result.beyond_one:.2f} % of the samples ({100 * LARGEST_SHARE} % are allowed);"
            " please report this"
        )
    return result
