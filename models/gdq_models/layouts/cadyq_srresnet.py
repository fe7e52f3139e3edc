"""SRResNet in float of CADyQ (Cheeun), which Granular-DQ's float networks are as well."""

from __future__ import annotations

from gdq_models.layouts.base import Layout, Source, State
from gdq_models.layouts.srresnet_names import has_names, read_weights


def _convert(source: Source) -> State:
    return read_weights(source, first_norm="norm0", shortcut=None)


CADYQ_SRRESNET = Layout("SRResNet of CADyQ", has_names, _convert)
