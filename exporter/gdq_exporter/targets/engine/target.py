"""The target of our own engine: predictor and network at all bit-widths in one packed model."""

from __future__ import annotations

from pathlib import Path

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.targets.base import Source, Target
from gdq_exporter.targets.engine.ends import (
    describe_predictor,
    describe_sensitivity,
    describe_subgraph,
)
from gdq_exporter.targets.engine.writer import check_expressible, write_engine
from gdq_runtime.bundle.manifest import AgreementBound, GraphSpec


class EngineTarget(Target):
    """Convolutions fused with what follows; rounds only where it must. Tiles of any size."""

    name = "engine"
    engine = "gdq"
    rounds_as_written = False
    # Its instruction sets have kernels of their own, which round transformed weights differently.
    bounds = (AgreementBound(levels=1, share=0.2), AgreementBound(levels=4, share=2e-3))

    def check_expressible(self, source: Source) -> None:
        """See ``Target.check_expressible``."""
        check_expressible(source.lowered)

    def write(self, bundle: Path, source: Source) -> list[GraphSpec]:
        """See ``Target.write``."""
        file = write_engine(bundle, source.lowered, source.tiles, source.predictor)
        subgraph = describe_subgraph(file, source.scale)
        is_rule = isinstance(source.predictor, SensitivityRule)
        predictor = describe_sensitivity(file) if is_rule else describe_predictor(file)
        return [predictor, *[subgraph] * len(source.lowered)]
