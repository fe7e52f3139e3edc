from __future__ import annotations

import shutil
import socket

import pytest

from gdq_devices.emulated.debian import Packages, check_reachable, choose_mirror, find_mirror
from gdq_devices.errors import UnavailableError

WANTED = Packages("bookworm", "arm64", ("python3.11", "libstdc++6"))


def test_packages_read_as_words() -> None:
    assert str(WANTED) == "python3.11 libstdc++6 of Debian bookworm for arm64"


@pytest.mark.parametrize("archive", ["http://host/debian", "http://host/mirror/debian/"])
def test_takes_the_archive_and_not_what_is_beside_it(archive: str) -> None:
    addresses = ["http://other/tools/", "http://host/debian-security/", archive]
    assert choose_mirror(addresses) == f"{archive.rstrip('/')}/"


def test_another_distribution_has_no_archive() -> None:
    with pytest.raises(UnavailableError, match="no Debian archive"):
        choose_mirror(["http://host/ubuntu/"])


def test_without_apt_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match="there is no apt-get here"):
        find_mirror()


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="there is no apt-get here")
def test_a_mirror_that_does_not_answer_is_no_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        mirror = f"http://127.0.0.1:{closed.getsockname()[1]}/debian/"
        with pytest.raises(UnavailableError, match="mirror does not give dists/bookworm/main"):
            check_reachable(mirror, WANTED)
