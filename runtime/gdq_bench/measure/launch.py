"""Runs a command and prints, as the last line, what it used.

A program of its own, and a small one: on Linux the peak memory of a process starts at that of its
parent, so a command started by a large process seems large.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

start = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
wall = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
# Kilobytes on Linux, bytes on macOS.
unit = 1 if os.uname().sysname == "Darwin" else 1024
print()
print(
    json.dumps(
        {
            "wall": wall,
            "cpu": used.ru_utime + used.ru_stime,
            "peak_memory": used.ru_maxrss * unit,
        }
    )
)
sys.exit(code)
