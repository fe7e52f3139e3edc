"""Peak memory of a program in a process of its own."""

from __future__ import annotations

import subprocess
import sys

# Not resource.getrusage: a child started by vfork inherits the peak of its parent.
_REPORT = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def peak_of(program: str, *arguments: str) -> int:
    """Run a Python program; the answer is the most memory it had, in KiB (Linux only)."""
    command = [sys.executable, "-c", program + _REPORT, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout.split()[-1])
