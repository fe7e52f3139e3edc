"""Everything that an export checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdq_exporter.checks.parity import ParityResult
from gdq_runtime.bundle.manifest import Format
from gdq_validate.agreement import Agreement

if TYPE_CHECKING:
    from gdq_exporter.targets.onnx.fusion import FusionResult
    from gdq_exporter.targets.onnx.mobile_usability import MobileUsability
    from gdq_exporter.targets.tflite.delegation import DelegationResult


@dataclass(frozen=True)
class CheckResults:
    """What was found, per format and engine."""

    fusion: dict[int, FusionResult]
    """Per bit-width; empty without ONNX."""
    delegation: dict[str, DelegationResult]
    """Per signature; empty without TFLite."""
    mobile: dict[str, MobileUsability]
    """Per graph, by its name in the file; empty without ONNX."""
    unproved: dict[Format, str]
    """Formats that were written but that nothing on this machine can run: why not."""
    parity: dict[str, ParityResult]
    """Per engine; the first one made the golden tiles."""
    agreement: list[Agreement]
    """Of each further engine with the golden tiles."""
    memory: dict[str, dict[str, int]]
    """Bytes per engine and graph; empty unless it was to be measured."""
