"""The name of the processor that we run on, as far as the system tells it."""

from __future__ import annotations

import platform
from pathlib import Path

_CPU_FACTS = Path("/proc/cpuinfo")


def processor_name() -> str:
    """Return the model's name, or the architecture where the system does not tell."""
    return processor_fact("model name") or platform.processor() or platform.machine()


def processor_fact(name: str) -> str:
    """Return a line of the first processor in Linux' list; "" if there is none."""
    try:
        facts = _CPU_FACTS.read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in facts.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
