"""Phones that adb sees, and which of them are meant."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gdq_devices.adb.client import Client
from gdq_devices.adb.shell import UNAUTHORIZED
from gdq_devices.errors import UnusableError

ALL = "all"
READY = "device"
"""What adb calls a phone that is there and lets us in."""

_SECONDS = 30.0
"""For the list of phones: adb's server may have to be started first."""

_ADVICE = {
    "unauthorized": UNAUTHORIZED,
    "authorizing": UNAUTHORIZED,
    "offline": "is offline: unplug it and plug it in again, or type `adb reconnect offline`",
    "no permissions": "may not be used by this user: add udev rules for it (see "
    "https://developer.android.com/tools/device), or add the user to the group plugdev",
    "recovery": "is in recovery: start Android on it",
    "sideload": "is in sideload: start Android on it",
    "bootloader": "is in its boot loader: start Android on it",
}


@dataclass(frozen=True)
class Listed:
    """A line of ``adb devices``.

    Attributes:
        serial: of the phone.
        state: as adb calls it: device, offline, unauthorized, ...
        model: as adb calls it; "" unless the phone is ready.

    """

    serial: str
    state: str
    model: str

    @property
    def advice(self) -> str | None:
        """Say what to tap or type before it can be used; None if it is ready."""
        if self.state == READY:
            return None
        return (
            f"{self.serial} {_ADVICE.get(self.state, f'is not ready: adb calls it {self.state}')}"
        )


def list_devices(client: Client) -> list[Listed]:
    """Return all phones that adb sees, ready or not.

    Raises:
        UnusableError: adb does not work here.
        LostError: it does not answer.

    """
    finished = client.call(["devices", "-l"], _SECONDS)
    if finished.code != 0:
        reason = (finished.complaint.strip().splitlines() or ["no reason given"])[-1]
        raise UnusableError(f"adb cannot list devices: {reason}")
    return parse_devices(finished.output)


def parse_devices(text: str) -> list[Listed]:
    """Read what ``adb devices -l`` prints; the daemon's own lines are passed over."""
    found = []
    for line in text.splitlines():
        match = re.match(r"(\S+)\s+(no permissions|[a-z]+)\b(.*)$", line)
        if match and not line.startswith(("*", "List of devices", "adb")):
            model = re.search(r"\bmodel:(\S+)", match[3])
            found.append(Listed(match[1], match[2], model[1] if model else ""))
    return found


def choose_devices(listed: Sequence[Listed], wanted: str) -> list[Listed]:
    """Return the phones that are meant.

    Args:
        listed: all that there are.
        wanted: serials with commas; "all" takes those that are ready.

    Raises:
        UnusableError: there is none, or a named one is missing or not ready.

    """
    if not listed:
        raise UnusableError(
            "adb sees no device: plug one in, choose USB debugging in its Settings > Developer "
            "options, and allow this computer"
        )
    if wanted == ALL:
        ready = [one for one in listed if one.state == READY]
        if not ready:
            raise UnusableError("; ".join(one.advice or "" for one in listed))
        return ready
    by_serial = {one.serial: one for one in listed}
    chosen = []
    for serial in dict.fromkeys(wanted.split(",")):
        if serial not in by_serial:
            raise UnusableError(
                f"adb sees no device {serial!r}: there are {', '.join(by_serial)} "
                "(gdq-bench devices)"
            )
        if (advice := by_serial[serial].advice) is not None:
            raise UnusableError(advice)
        chosen.append(by_serial[serial])
    return chosen


def choose_one(listed: Sequence[Listed], wanted: str) -> str:
    """Return the serial of one phone.

    Args:
        listed: all that there are.
        wanted: its serial; "" takes ``ANDROID_SERIAL``, as adb does, or the only one that there is.

    Raises:
        UnusableError: there is none, there are several to choose from, or it is not ready.

    """
    wanted = wanted or os.environ.get("ANDROID_SERIAL", "")
    if not wanted and len(listed) > 1:
        serials = ", ".join(one.serial for one in listed)
        raise UnusableError(
            f"adb sees {len(listed)} devices: choose with --device SERIAL[,...]|all from {serials}"
        )
    (chosen,) = choose_devices(listed, wanted or ",".join(one.serial for one in listed))
    return chosen.serial


def name_for_files(serial: str) -> str:
    """Return a serial as part of a file's name: ``192.168.0.2:5555`` has what Windows refuses."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", serial)
