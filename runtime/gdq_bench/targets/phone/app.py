"""The result that the demo app wrote on a phone: the same JSON, measured inside an app."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gdq_bench.protocol import BenchResult
from gdq_bench.results import read_result
from gdq_core.errors import RequestError
from gdq_devices.adb.shell import Shell
from gdq_devices.errors import LostError, ProgramError

APP_RESULT = "/sdcard/Android/data/org.granulardq.demo/files/benchmark.json"
"""Where the app writes it: its own folder, which adb may read without permissions."""

_SECONDS = 60.0


def pull_result(shell: Shell) -> BenchResult:
    """Fetch and check what the app wrote last.

    Raises:
        LostError: the phone does not answer.
        RequestError: the app wrote none, or something else.

    """
    with tempfile.TemporaryDirectory(prefix="gdq-bench.") as name:
        file = Path(name, "benchmark.json")
        try:
            shell.pull(APP_RESULT, file, _SECONDS)
        except LostError:
            raise
        except ProgramError as error:
            raise RequestError(
                f"the demo app on {shell.serial} has written no result: start its benchmark and "
                f"wait until it is done ({error})"
            ) from error
        return read_result(file)
