"""One target's engine against another's golden outputs: a failure ends the export."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_exporter.errors import ExportError
from gdq_exporter.targets.base import Target
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_validate.agreement import ACROSS_ROUNDINGS, Agreement, compare_with_golden


def check_agreement(
    bundle: Bundle,
    golden: Sequence[GoldenTile],
    engine: Engine,
    target: Target,
    owner: Target,
) -> Agreement:
    """Compare an engine with the golden outputs of another target's engine.

    Args:
        bundle: holds the tiles.
        golden: tiles and expected outputs.
        engine: open on the bundle.
        target: the target that the engine belongs to.
        owner: the target whose outputs are expected.

    Raises:
        ExportError: the pictures are further apart than the target's bounds, or, where the two
            round differently, ``ACROSS_ROUNDINGS`` allow.
    """
    bounds = target.bounds if rounds_like(target, owner) else ACROSS_ROUNDINGS
    result = compare_with_golden(bundle, golden, engine, owner.name, bounds)
    if (bound := result.broken_bound) is not None:
        raise ExportError(
            f"{engine.name} differs from the golden tiles by more than {bound.levels} on "
            f"{100 * result.share_beyond(bound.levels):.2f} % of the samples "
            f"({100 * bound.share:g} % are allowed); please report this"
        )
    return result


def rounds_like(one: Target, other: Target) -> bool:
    """Tell whether two targets are held to the same golden outputs."""
    return one.name == other.name or (one.rounds_as_written and other.rounds_as_written)
