from __future__ import annotations

import os
import subprocess
import sys

from gdq_core.cli.native_output import silence_native_libraries

PROGRAM = """
import os, sys
from gdq_core.cli.native_output import silence_native_libraries
os.write(2, b"before,")
with silence_native_libraries():
    os.write(2, b"a library,")
    print("ours", end=",", file=sys.stderr, flush=True)
os.write(2, b"after,")
print("end", end="", file=sys.stderr)
"""


def test_only_libraries_are_silenced() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert run.stderr == "before,ours,after,end"


def test_a_replaced_stderr_is_left_alone() -> None:
    before = sys.stderr
    with silence_native_libraries():
        assert sys.stderr is before
        os.write(2, b"")
