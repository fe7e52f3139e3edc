"""Gets a phone measured, whatever happens to the cable: waits, tidies up, goes on.

Everything that the phone prints goes into the journal when it comes; what is still to be done is
what the journal lacks.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gdq_bench.targets.phone.journal import Journal, Part
from gdq_devices.adb.facts import Cluster
from gdq_devices.adb.folder import FOLDER, fill_folder
from gdq_devices.adb.heat import Heat, ask_heat
from gdq_devices.adb.listing import READY, list_devices
from gdq_devices.adb.shell import Shell
from gdq_devices.errors import KilledError, LostError, ProgramError, UnusableError

Say = Callable[[str], None]

PROGRAM = "gdq_run"
_QUIET = 10.0
"""Seconds without a line after which the phone is asked whether it is still there."""
_STUCK = 600.0
"""Seconds without a line after which a program on a phone that is there counts as stuck."""
_PROBE = 5.0
"""Seconds that a phone may take to say that it is there."""
_POLL = 1.0
"""Seconds between looks at whether a phone is back, or cool."""
_KILLS = 2
"""How often a program that the system ended is started again."""
_UNTOLD_COOL = 40.0
"""Degrees Celsius at which a phone counts as cool that tells no thermal status."""


@dataclass(frozen=True)
class Batch:
    """Some rounds of one part on one cluster.

    Attributes:
        cluster: where.
        part: what.
        rounds: how many there have to be in the end.
        at_once: how many are measured between two readings of the phone's heat.
        arguments: of the program, without ``--rounds``.
        seconds: instead of rounds, how long; heat is read every minute.

    """

    cluster: Cluster
    part: Part
    rounds: int
    at_once: int
    arguments: Sequence[str]
    seconds: float | None = None


@dataclass(frozen=True)
class Patience:
    """How long to wait, and for what.

    Attributes:
        away: seconds for a phone that is away.
        cooling: seconds for a phone that is hot.
        cool: degrees Celsius that nothing may exceed; None: Android says itself whether it is hot.

    """

    away: float
    cooling: float
    cool: float | None


@dataclass
class Session:
    """A phone that is being measured.

    Attributes:
        shell: of the phone.
        files: what the program needs there: path in our folder -> file.
        journal: takes what the phone prints.
        patience: how long to wait.
        say: called with a sentence about what goes on.
        started: when, by ``time.monotonic``.
        notes: what happened on the way.
        lost: why the phone was given up, or None.
        killed: why the program was given up, or None.

    """

    shell: Shell
    files: Mapping[str, Path]
    journal: Journal
    patience: Patience
    say: Say
    started: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list)
    lost: str | None = None
    killed: str | None = None

    def measure(self, batches: Sequence[Batch]) -> None:
        """Measure what the journal lacks; if the phone stays away, what there is has to do.

        Raises:
            EngineError: the phone prints what the program does not.
            UnusableError: the phone cannot run the program, or refuses a model.
            ProgramError: the disk is full, or the program gets stuck.
            Stopped: somebody asked for it.

        """
        kills = 0
        is_there = False
        while True:
            try:
                if not is_there:
                    self._prepare()
                    is_there = True
                self._measure_missing(batches)
                self._read_heat("at the end")
            except LostError as error:
                is_there = False
                self.say(f"{error}; waiting up to {self.patience.away:.0f} s for it")
                if not self._is_back():
                    self.lost = f"{error}, and it did not come back"
                    return
                self.notes.append(f"{error}: it came back, and measuring went on")
            except KilledError as error:
                kills += 1
                if kills > _KILLS:
                    self.killed = f"{error}, {kills} times: close other apps"
                    return
                self.say(f"{error}; starting it again")
                self.notes.append(f"{error}, and was started again")
            else:
                return

    def _prepare(self) -> None:
        found = fill_folder(self.shell, self.files)
        if found.ended:
            self.notes.append(f"{found.ended} program that an earlier run had left was ended")
        if found.removed:
            self.notes.append(f"{found.removed} files that an earlier run had left were removed")
        self.say(f"{found.pushed} files pushed, {found.kept} were there")
        self.shell.run(f"chmod 755 {FOLDER}/{PROGRAM}", _PROBE)

    def _measure_missing(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            name, part = batch.cluster.name, batch.part
            while (missing := batch.rounds - self.journal.count(name, part)) > 0:
                self._wait_until_cool()
                self._read_heat(f"before {part} on {name}")
                count = min(missing, batch.at_once)
                self.say(
                    f"{part} on {name}: {batch.rounds - missing} of {batch.rounds} rounds done"
                )
                before = self.journal.count(name, part)
                self._run(batch, count)
                if self.journal.count(name, part) == before:
                    return  # wrong outputs are not timed

    def _run(self, batch: Batch, rounds: int) -> None:
        """Run the program once."""
        limit = ["--rounds", str(rounds)] if batch.seconds is None else []
        words = [f"{FOLDER}/{PROGRAM}", *batch.arguments, *limit]
        start = f"echo $$ > {FOLDER}/run.pid && cd {FOLDER} && exec {shlex.join(words)}"
        self.journal.begin(batch.cluster.name, batch.part)
        message, has_ended, lines = "", False, 0
        heard = asked = next_reading = time.monotonic()
        try:
            for line in self.shell.stream(f"sh -c {shlex.quote(start)}"):
                now = time.monotonic()
                if line is None:
                    if now - max(heard, asked) > _QUIET:
                        self._ask_whether_there(now - heard)
                        asked = time.monotonic()
                    continue
                heard = now
                told = _read_object(line)
                if told is None:
                    continue
                if told.get("line") == "error":
                    message = str(told.get("message"))
                if told.get("line") == "end":
                    has_ended = told.get("lines") == lines
                lines += 1
                self.journal.add_line(line)
                if batch.seconds is not None and now >= next_reading:
                    next_reading = now + 60
                    self._read_heat(during(batch.cluster.name))
        except ProgramError as error:
            if isinstance(error, LostError | KilledError) and not has_ended:
                raise
            if message:
                raise UnusableError(f"{self.shell.serial}: {message}") from error
            if not has_ended:
                raise
        if not has_ended:
            raise LostError(f"{self.shell.serial} lost lines of what the program printed")
        self.journal.end()

    def _ask_whether_there(self, silent: float) -> None:
        """Ask a phone that has been silent for so many seconds."""
        if silent > _STUCK:
            raise ProgramError(f"{PROGRAM} on {self.shell.serial} is stuck: start the phone anew")
        self.shell.run("true", _PROBE)

    def _is_back(self) -> bool:
        deadline = time.monotonic() + self.patience.away
        while time.monotonic() < deadline:
            with suppress(ProgramError):
                states = {one.serial: one.state for one in list_devices(self.shell.client)}
                if states.get(self.shell.serial) == READY:
                    self.shell.run("true", _PROBE)
                    return True
            self._sleep()
        return False

    def _wait_until_cool(self) -> None:
        began = time.monotonic()
        has_said = False
        while (heat := is_hot(ask_heat(self.shell), self.patience.cool)) is not None:
            if time.monotonic() - began > self.patience.cooling:
                self.notes.append(
                    f"{heat} after waiting {self.patience.cooling:.0f} s: measured hot"
                )
                return
            if not has_said:
                self.say(f"{heat}: waiting until it is cool")
                has_said = True
            self._sleep()

    def _read_heat(self, when: str) -> None:
        reading = asdict(ask_heat(self.shell))
        seconds = round(time.monotonic() - self.started, 1)
        self.journal.add_heat({"seconds": seconds, "when": when, **reading})

    def _sleep(self) -> None:
        self.shell.client.check(None, "")
        time.sleep(_POLL)


def during(cluster: str) -> str:
    """Say when heat is read while a cluster works without a pause."""
    return f"during sustained work on {cluster}"


def is_hot(heat: Heat, cool: float | None) -> str | None:
    """Say why a phone is too hot to begin; None if it is cool, or nobody can tell.

    Args:
        heat: of the phone.
        cool: degrees Celsius that no zone may exceed (where none can be read, the battery); None:
            thermal status has to be 0, or where it is not told, nothing above 40.

    """
    hottest = max(heat.zones.values(), default=heat.battery_temperature)
    if cool is None and heat.status is not None:
        return f"thermal status is {heat.status}" if heat.status > 0 else None
    limit = _UNTOLD_COOL if cool is None else cool
    if hottest is not None and hottest > limit:
        return f"it is {hottest:.0f} °C hot"
    return None


def _read_object(line: str) -> dict[str, object] | None:
    """Read a JSON object; None of what a loader or a library prints in between."""
    with suppress(ValueError):
        told = json.loads(line)
        return told if isinstance(told, dict) else None
    return None
