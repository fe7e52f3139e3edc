"""Disks that take their time or fail: nothing hangs, no error is lost, every signal is heard."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from core.pictures.profiles import large_profile

PRELOAD = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every write to a file waits, and from one on all fail; what the process says does not. */
ssize_t write(int file, const void *data, size_t size) {
    static ssize_t (*system_write)(int, const void *, size_t);
    struct stat status;
    if (!system_write) system_write = dlsym(RTLD_NEXT, "write");
    static int writes;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        usleep(atoi(getenv("DELAY")) * 1000);
        if (++writes >= atoi(getenv("FAILING"))) {
            errno = EIO;
            return -1;
        }
    }
    return system_write(file, data, size);
}
"""

WRITE = """
import sys
from pathlib import Path
import numpy as np
from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.encode import PictureWriter

target, profile = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()
rows = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
print("begin", flush=True)
with PictureWriter(target, 300, 400, 3, meaning=ColourMeaning(profile or None)) as writer:
    for start in range(0, 400, 25):
        writer.write_rows(rows[start : start + 25])
    writer.close()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD")


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("preload")
    (folder / "slow.c").write_text(PRELOAD)
    library = folder / "slow.so"
    command = [compiler, "-shared", "-fPIC", "-o", str(library), str(folder / "slow.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


def start(
    preload: Path, target: Path, profile: bytes, delay: int, failing: int = 1 << 30
) -> subprocess.Popen[str]:
    (target.parent / "profile").write_bytes(profile)
    command = [sys.executable, "-c", WRITE, str(target), str(target.parent / "profile")]
    environment = {
        **os.environ,
        "LD_PRELOAD": str(preload),
        "DELAY": str(delay),
        "FAILING": str(failing),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("size", [0, 100_000, 4_000_000])
def test_a_picture_is_finished_on_a_slow_disk(
    tmp_path: Path, preload: Path, suffix: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 24)
    profile = large_profile(size) if size else b""
    target = tmp_path / f"a{suffix}"
    with start(preload, target, profile, 20) as process:
        process.communicate(timeout=60)
        assert process.returncode == 0
    with Image.open(target) as written:
        assert written.size == (300, 400)
        assert written.info.get("icc_profile", b"") == profile
        written.load()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_the_disk_is_slow(
    tmp_path: Path, preload: Path, suffix: str, kind: signal.Signals
) -> None:
    delay = 100 if suffix == ".tif" else 500  # OpenImageIO heeds signals between calls only
    with start(preload, tmp_path / f"a{suffix}", large_profile(4_000_000), delay) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        time.sleep(0.3)
        process.send_signal(kind)
        process.communicate(timeout=60)
        assert process.returncode != 0
    assert not (tmp_path / f"a{suffix}").exists()
    if kind == signal.SIGINT:  # an exception, on whose way out the draft goes
        assert sorted(path.name for path in tmp_path.iterdir()) == ["profile"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_failing_disk_is_a_sentence_wherever_it_begins(
    tmp_path: Path, preload: Path, suffix: str
) -> None:
    for failing in (1, 2, 3, 5, 1000):
        with start(preload, tmp_path / f"a{suffix}", b"", 0, failing) as process:
            _, complaint = process.communicate(timeout=60)
        written = [path.name for path in tmp_path.iterdir() if path.name != "profile"]
        if process.returncode == 0:
            assert written == [f"a{suffix}"]
            with Image.open(tmp_path / f"a{suffix}") as picture:
                picture.load()
            break
        assert "OutputError" in complaint.splitlines()[-1]
        assert "cannot be written: " in complaint.splitlines()[-1]
        assert written == []
    else:
        pytest.fail("it never succeeded")
    assert failing > 2
