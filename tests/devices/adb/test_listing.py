from __future__ import annotations

import pytest

from gdq_devices.adb.listing import (
    Listed,
    choose_devices,
    choose_one,
    name_for_files,
    parse_devices,
)
from gdq_devices.errors import UnusableError

TEXT = """\
* daemon not running; starting now at tcp:5037
* daemon started successfully
List of devices attached
2A221FDH               device usb:1-1 product:panther model:Pixel_7 device:panther transport_id:1
127.0.0.1:7002         offline transport_id:2
RF8N                   unauthorized usb:1-2 transport_id:3
0123                   no permissions (missing udev rules? user is in the plugdev group)
"""

LISTED = parse_devices(TEXT)
READY, OFFLINE, UNAUTHORIZED, FORBIDDEN = LISTED


def test_serials_states_and_models() -> None:
    assert [(one.serial, one.state, one.model) for one in LISTED] == [
        ("2A221FDH", "device", "Pixel_7"),
        ("127.0.0.1:7002", "offline", ""),
        ("RF8N", "unauthorized", ""),
        ("0123", "no permissions", ""),
    ]


@pytest.mark.parametrize(
    ("listed", "word"),
    [(OFFLINE, "adb reconnect"), (UNAUTHORIZED, "tap Allow"), (FORBIDDEN, "udev")],
)
def test_what_to_do_is_said(listed: Listed, word: str) -> None:
    assert word in str(listed.advice)
    with pytest.raises(UnusableError, match=word):
        choose_devices(LISTED, listed.serial)


def test_all_takes_those_that_are_ready() -> None:
    assert choose_devices(LISTED, "all") == [READY]
    with pytest.raises(UnusableError, match="tap Allow"):
        choose_devices([UNAUTHORIZED], "all")


def test_one_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UnusableError, match="no device 'X': there are 2A221FDH"):
        choose_devices(LISTED, "2A221FDH,X")


def test_none_at_all() -> None:
    with pytest.raises(UnusableError, match="sees no device: plug one in"):
        choose_devices([], "all")


def test_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    assert choose_one([READY], "") == "2A221FDH"
    with pytest.raises(UnusableError, match="sees 4 devices: choose with --device"):
        choose_one(LISTED, "")
    monkeypatch.setenv("ANDROID_SERIAL", "2A221FDH")
    assert choose_one(LISTED, "") == "2A221FDH"


def test_a_serial_in_a_file_name() -> None:
    assert name_for_files("127.0.0.1:7001") == "127.0.0.1_7001"
    assert name_for_files("../x y") == ".._x_y"
