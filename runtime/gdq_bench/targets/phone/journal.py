"""What a phone printed, on this computer's disk line by line: a run that is killed is not lost.

A file for each phone in the user's cache folder. Its first line says what was to be measured; if
the same is asked for again, measuring goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

from gdq_bench.native.lines import Line, RoundLine, read_lines
from gdq_core.errors import EngineError, RequestError
from gdq_core.files.caches import cache_folder
from gdq_devices.adb.listing import name_for_files

_FORMAT = 1
"""Raised when a reader of the previous one would misread a journal: it is then thrown away."""

Part = Literal["tiles", "pictures", "sustained"]


@dataclass
class Batch:
    """One run of the program.

    Attributes:
        cluster: that it was held to.
        part: what it measured.
        lines: that it printed.
        has_ended: whether its last line came.

    """

    cluster: str
    part: Part
    lines: list[str] = field(default_factory=list)
    has_ended: bool = False

    def read(self) -> list[Line]:
        """Return what the lines say.

        Raises:
            EngineError: one is none of the program's, or some are missing.

        """
        return read_lines("".join(f"{line}\n" for line in self.lines))

    def rounds(self) -> list[RoundLine]:
        """Return the lines of complete rounds: of the last, others may be missing after a cut.

        Raises:
            EngineError: a line is none of the program's, or some are missing.

        """
        rounds = [line for line in self.read() if isinstance(line, RoundLine)]
        last = max((line.round for line in rounds), default=0)
        return [line for line in rounds if self.has_ended or line.round < last]

    def count(self) -> int:
        """Return how many rounds are complete.

        Raises:
            EngineError: a line is none of the program's, or some are missing.

        """
        return len({line.round for line in self.rounds()})


class Journal:
    """All batches of a run on one phone, and its heat, in memory and on the disk.

    Attributes:
        batches: in order.
        heat: readings of the phone's heat, in order, as ``Heat`` of the protocol has them.

    """

    def __init__(self, file: TextIO | None) -> None:
        """Begin with nothing; ``file`` takes what is added, if it can be kept."""
        self.batches: list[Batch] = []
        self.heat: list[dict[str, Any]] = []
        self._file = file

    def begin(self, cluster: str, part: Part) -> None:
        """Begin a batch."""
        self._apply({"begin": {"cluster": cluster, "part": part}})

    def add_line(self, line: str) -> None:
        """Keep a line that the program printed."""
        self._apply({"line": line})

    def end(self) -> None:
        """Mark the batch as one that came to its end."""
        self._apply({"end": True})

    def add_heat(self, reading: dict[str, Any]) -> None:
        """Keep a reading."""
        self._apply({"heat": reading})

    def count(self, cluster: str, part: Part) -> int:
        """Return how many rounds of a part are complete on a cluster.

        What has to go on without a pause counts as one, if it came to its end.
        """
        batches = self.select(cluster, part)
        if part == "sustained":
            return sum(batch.has_ended for batch in batches)
        return sum(batch.count() for batch in batches)

    def select(self, cluster: str, part: Part) -> list[Batch]:
        """Return the batches of a part on a cluster."""
        return [one for one in self.batches if (one.cluster, one.part) == (cluster, part)]

    def replay(self, records: Iterator[dict[str, Any]]) -> None:
        """Take over what a former run kept, up to the first record that is damaged."""
        with suppress(KeyError, TypeError, IndexError, ValueError):
            for record in records:
                self._apply(record)
        with suppress(EngineError):
            for batch in self.batches:
                batch.read()
            return
        self.batches.clear()

    def _apply(self, record: dict[str, Any]) -> None:
        if "begin" in record:
            self.batches.append(Batch(**record["begin"]))
        elif "line" in record:
            self.batches[-1].lines.append(record["line"])
        elif "end" in record:
            self.batches[-1].has_ended = True
        else:
            self.heat.append(record["heat"])
        if self._file is not None:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()


@contextmanager
def open_journal(serial: str, key: str) -> Iterator[Journal]:
    """Open a phone's journal for a block, and keep others from measuring on it meanwhile.

    Where the cache folder cannot be written, nothing is kept.

    Args:
        serial: of the phone.
        key: of everything that is to be measured; another one throws away what was kept.

    Raises:
        RequestError: another process measures on this phone.

    """
    try:
        path = journal_file(serial)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        yield Journal(None)
        return
    with file:
        _lock(file, serial)
        file.seek(0)
        header = json.dumps({"format": _FORMAT, "key": key})
        kept = file.readline().rstrip("\n") == header
        records = list(_read_records(file)) if kept else []
        # Written anew: the last line of a killed run may be half a line.
        file.seek(0)
        file.truncate()
        file.write(header + "\n")
        file.flush()
        journal = Journal(None)
        journal.replay(iter(records))
        resumed = Journal(file)
        for record in _as_records(journal):
            resumed._apply(record)
        yield resumed


def forget(serial: str) -> None:
    """Throw a phone's journal away: its result is complete."""
    with suppress(OSError, RuntimeError):
        os.truncate(journal_file(serial), 0)


def journal_file(serial: str) -> Path:
    """Return where a phone's journal is.

    Raises:
        RuntimeError: the system knows no home folder of this user.

    """
    return cache_folder() / "phones" / f"{name_for_files(serial)}.journal"


def _as_records(journal: Journal) -> Iterator[dict[str, Any]]:
    for reading in journal.heat:
        yield {"heat": reading}
    for batch in journal.batches:
        content = asdict(batch)
        yield {"begin": {"cluster": content["cluster"], "part": content["part"]}}
        for line in batch.lines:
            yield {"line": line}
        if batch.has_ended:
            yield {"end": True}


def _read_records(file: TextIO) -> Iterator[dict[str, Any]]:
    for line in file:
        try:
            record = json.loads(line)
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        yield record


def _lock(file: TextIO, serial: str) -> None:
    if sys.platform == "win32":  # there, nobody is kept from it
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RequestError(
            f"another gdq-bench measures on {serial}: wait until it is done"
        ) from error
