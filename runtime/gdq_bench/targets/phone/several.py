"""Several phones at once: one that fails does not stop the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from gdq_bench.protocol import BenchResult
from gdq_core.errors import GdqError
from gdq_devices.adb.client import Stopped


@dataclass(frozen=True)
class Outcome:
    """What became of one phone; one of both is there.

    Attributes:
        result: of the measurement.
        error: why there is none.

    """

    result: BenchResult | None = None
    error: Exception | None = None


def measure_all(
    serials: Sequence[str], measure: Callable[[str], BenchResult], stop: threading.Event
) -> dict[str, Outcome]:
    """Measure on all phones, each in a thread.

    Args:
        serials: of the phones.
        measure: measures on one of them.
        stop: is set to make all of them stop and tidy up.

    Returns:
        serial -> what became of it.

    Raises:
        KeyboardInterrupt: Ctrl-C, after all have tidied up.

    """
    with ThreadPoolExecutor(len(serials)) as pool:
        futures = {serial: pool.submit(_catch, measure, serial) for serial in serials}
        try:
            wait(futures.values())
        except KeyboardInterrupt:
            stop.set()
            raise
    return {serial: future.result() for serial, future in futures.items()}


def _catch(measure: Callable[[str], BenchResult], serial: str) -> Outcome:
    try:
        return Outcome(result=measure(serial))
    except (GdqError, Stopped) as error:
        return Outcome(error=error)
