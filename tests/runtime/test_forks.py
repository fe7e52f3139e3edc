"""Upscalers in forked processes, for real: in programs of their own, since a fork copies all."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.engine_library import need_library
from runtime.tiny_bundle import write_tiny_bundle
from runtime.tiny_packed_model import write_tiny_packed_bundle
from runtime.tiny_tflite import write_tiny_tflite_bundle

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")

BUNDLES: dict[str, Callable[[Path], Path]] = {
    "gdq": write_tiny_packed_bundle,
    "onnxruntime": write_tiny_bundle,
    "litert": write_tiny_tflite_bundle,
}

PREPARE = """
import multiprocessing, os, signal, sys, threading, warnings
import numpy as np
from gdq_runtime import EngineError, Upscaler

signal.alarm(60)  # ends what hangs; a child has to set its own
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
folder, engine = sys.argv[1:]
image = np.random.default_rng(0).integers(0, 256, (100, 90, 4), dtype=np.uint8)
upscaler = Upscaler.open(folder, engine=engine, threads=2)
expected = upscaler(image).image

def is_right(_=None):
    signal.alarm(30)
    return np.array_equal(upscaler(image).image, expected)

def fork(work):
    child = os.fork()
    if child == 0:
        os._exit(0 if work() else 1)
    return child

def wait(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.fixture(params=BUNDLES)
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], None]:
    """Runs a program that has an Upscaler that was used before."""
    if request.param == "gdq":
        need_library()
    folder = BUNDLES[request.param](tmp_path / "bundle")

    def run_program(program: str) -> None:
        command = [sys.executable, "-c", PREPARE + textwrap.dedent(program)]
        run = subprocess.run([*command, str(folder), request.param], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr

    return run_program


def test_a_child_upscales_as_its_parent_does(run: Callable[[str], None]) -> None:
    run("""
        children = [fork(is_right) for _ in range(2)]
        assert is_right()
        for child in children:
            wait(child)
        wait(fork(lambda: fork(is_right) and upscaler.close() is None and is_right()))
        assert is_right()
    """)


def test_children_of_multiprocessing_do(run: Callable[[str], None]) -> None:
    run("""
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert all(pool.map(is_right, range(4)))
        assert is_right()
    """)


def test_a_child_that_is_born_while_other_threads_upscale_does(run: Callable[[str], None]) -> None:
    run("""
        is_over = threading.Event()

        def keep_busy():
            with Upscaler.open(folder, engine=engine, threads=2) as other:
                while not is_over.is_set():
                    other(image)

        busy = threading.Thread(target=keep_busy)
        busy.start()
        for _ in range(10):
            wait(fork(is_right))
        is_over.set()
        busy.join()
    """)


def test_a_child_that_is_born_in_the_midst_of_a_picture_does(run: Callable[[str], None]) -> None:
    run("""
        children = []

        def give_birth(done, _):
            if done == 5:
                children.append(fork(is_right))

        assert np.array_equal(upscaler(image, progress=give_birth).image, expected)
        wait(*children)
    """)


def test_a_child_cannot_finish_its_parents_picture(run: Callable[[str], None]) -> None:
    run("""
        parent, children = os.getpid(), []

        def give_birth(done, _):
            if done == 5:
                children.append(os.fork())
                signal.alarm(30)

        try:
            made = upscaler(image, progress=give_birth).image
        except EngineError as error:
            is_told = os.getpid() != parent and "only its parent can finish" in str(error)
            os._exit(0 if is_told else 1)
        assert os.getpid() == parent and np.array_equal(made, expected)
        wait(*children)
    """)
