"""Everything that an export checked."""

from __future__ import annotations

from dataclasses import dataclass

from gdq_exporter.checks.parity import ParityResult
from gdq_exporter.checks.routing import RoutingCheck
from gdq_exporter.targets.base import Findings
from gdq_runtime.bundle.manifest import Format
from gdq_validate.agreement import Agreement


@dataclass(frozen=True)
class CheckResults:
    """What was found, per format and engine."""

    findings: Findings
    """Of the targets' own checks; sections of formats that were not written are empty."""
    unproved: dict[Format, str]
    """Formats that were written but that nothing on this machine can run: why not."""
    parity: dict[str, ParityResult]
    """Per engine; the first one made the golden tiles."""
    agreement: list[Agreement]
    """Of each further engine with the golden tiles."""
    memory: dict[str, dict[str, int]]
    """Bytes per engine and graph; empty unless it was to be measured."""
    routing: RoutingCheck
    """Whether the predictor earns its bits."""
