"""Any engine, with what its tiles cost here: what bits really buy is measured, not believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import GdqError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine, Prediction
from gdq_runtime.engines.cost_measurement import measure_costs
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.forks import CALLS
from gdq_runtime.engines.kept_costs import can_keep_costs, describe_origin, keep_costs, load_costs
from gdq_runtime.engines.registry import default_engine, open_engine
from gdq_runtime.engines.sensing import open_bundle_sense


@dataclass(frozen=True)
class EngineReport:
    """What an engine ran on and what its tiles cost.

    Attributes:
        name: of the engine.
        accelerator_asked: what it was told to run on.
        accelerator_used: what it really ran on.
        costs: of a tile; None if nobody needed to know.
        are_kept: whether the next run will know the same costs.
        fallback_reason: why the default is not the fastest engine, in a sentence; None if it is,
            or if the engine was named.

    """

    name: str
    accelerator_asked: str
    accelerator_used: str
    costs: Costs | None = None
    are_kept: bool = False
    fallback_reason: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what a user would not expect."""
        notes = [] if self.fallback_reason is None else [self.fallback_reason]
        if self.accelerator_used.partition(", ")[0] != self.accelerator_asked:
            notes.append(
                f"engine {self.name!r} was asked to run on {self.accelerator_asked} and runs on "
                f"{self.accelerator_used}"
            )
        if self.costs is not None:
            notes += self._describe_useless(self.costs)
            if not self.are_kept:
                notes.append(
                    "what a tile costs could not be kept in the user's cache folder: it is "
                    "measured by every command that asks for time, and may differ a little"
                )
        return tuple(notes)

    def _describe_useless(self, costs: Costs) -> list[str]:
        if costs.routes != costs.useful:  # tiles go where their price says, to either network
            return []
        widths = sorted(width for width in costs.seconds if width != INTERPOLATED)
        useless = [width for width in widths if width not in costs.useful]
        if not useless:
            return []
        times = ", ".join(f"{1000 * costs.seconds[width]:.3g} ms at {width}" for width in widths)
        if len(costs.useful) == 1:
            return [
                f"engine {self.name!r} runs all bit-widths at one speed here (a tile takes {times} "
                f"bits): fewer bits save no time, so tiles get {widths[-1]} unless you bound bits"
            ]
        exchanged = ", ".join(f"{costs.exchange(width)} for {width}" for width in useless)
        return [
            f"tiles take {times} bits here: where a wider width is as fast, it is used instead "
            f"({exchanged})"
        ]


class TimedEngine:
    """An engine whose costs can be asked for; runs tiles in threads, and next to forks."""

    def __init__(self, engine: Engine, fallback_reason: str | None = None) -> None:
        """Stand around an engine.

        Args:
            engine: does the work.
            fallback_reason: why it is not the fastest one, for the report.

        """
        self._engine = engine
        self._fallback_reason = fallback_reason
        self._is_tried = False
        self._costs: Costs | None = None
        self._are_kept = False

    @property
    def name(self) -> str:
        """See ``Engine.name``."""
        return self._engine.name

    @property
    def accelerator_asked(self) -> str:
        """See ``Engine.accelerator_asked``."""
        return self._engine.accelerator_asked

    @property
    def accelerator_used(self) -> str:
        """See ``Engine.accelerator_used``."""
        return self._engine.accelerator_used

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        with CALLS.one():
            return self._engine.predict(tile)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        with CALLS.one():
            return self._engine.sense(tile)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        with CALLS.one():
            return self._engine.run(bit_width, tile)

    def find_costs(self, bundle: Bundle, *, is_needed: bool) -> Costs | None:
        """Return what a tile costs: as it is kept for this device, or measured and then kept.

        Costs that cannot be kept would be others in the next run, and with them the pictures. So
        they are only measured where they are needed; nor does it matter then if that fails.

        Args:
            bundle: that the engine runs.
            is_needed: whether time was asked for.

        Raises:
            EngineError: they are needed, and the engine refuses a graph or cannot be asked what it
                runs on.

        """
        if self._costs is None and (is_needed or not self._is_tried):
            self._is_tried = True
            try:
                self._find(bundle, may_measure=is_needed or can_keep_costs())
            except GdqError:
                if is_needed:
                    raise
        return self._costs if is_needed or self._are_kept else None

    def _find(self, bundle: Bundle, *, may_measure: bool) -> None:
        origin = describe_origin(self._engine, bundle)
        self._costs = load_costs(origin, bundle)
        self._are_kept = self._costs is not None
        if self._costs is None and may_measure:
            self._costs = self._measure(bundle)
            self._are_kept = keep_costs(origin, self._costs)

    def _measure(self, bundle: Bundle) -> Costs:
        manifest = bundle.manifest
        return measure_costs(
            self,
            bundle.routes,
            manifest.tiling.size,
            manifest.network.scale,
            sense=open_bundle_sense(bundle),
        )

    def close(self) -> None:
        """See ``Engine.close``."""
        self._engine.close()

    def report(self) -> EngineReport:
        """Tell what is known so far.

        Raises:
            EngineError: the engine cannot be asked what it runs on.

        """
        return EngineReport(
            self.name,
            self.accelerator_asked,
            self.accelerator_used,
            self._costs,
            self._are_kept,
            self._fallback_reason,
        )


def open_timed_engine(name: str | None, bundle: Bundle, tile_size: int | None) -> TimedEngine:
    """Open an engine by name, or for None the default one.

    Arguments and errors are those of ``open_engine``.
    """
    if name is not None:
        return TimedEngine(open_engine(name, bundle, tile_size))
    name, fallback_reason = default_engine(bundle)
    return TimedEngine(open_engine(name, bundle, tile_size), fallback_reason)
