"""The library of our own engine through ctypes: its C interface (gdq_engine.h), typed and checked.

ctypes releases the interpreter lock during a call. The library keeps the reason of a failure for
the thread that made the call.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_float, c_int32, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_core.sensitivity.heads import HEADS, Sensitivity
from gdq_core.sensitivity.statistics import STATISTICS

ABI_VERSION = 2
"""Version of the C interface that this file uses."""

LIBRARY = Path(__file__).resolve().parents[1] / "native" / {
    "darwin": "libgdq_engine.dylib",
    "win32": "gdq_engine.dll",
}.get(sys.platform, "libgdq_engine.so")  # fmt: skip
"""Where the library is in an installation, if it was built (hatch_build.py)."""

_REMEDY = (
    "install granular-dq-mobile again with a C++17 compiler present (GDQ_BUILD_ENGINE=1 pip "
    "install says what is missing)"
)


_Model = _Runner = c_void_p
_SIGNATURES: dict[str, tuple[Any, Sequence[Any]]] = {
    # function: (result, arguments), in the order of gdq_engine.h
    "gdq_abi_version": (c_int32, ()),
    "gdq_last_error": (c_char_p, ()),
    "gdq_isa_count": (c_int32, ()),
    "gdq_isa_name": (c_char_p, (c_int32,)),
    "gdq_isa_available": (c_int32, (c_int32,)),
    "gdq_model_load": (_Model, (c_char_p, c_char_p)),
    "gdq_model_parse": (_Model, (c_char_p, c_size_t, c_char_p)),
    "gdq_model_free": (None, (_Model,)),
    "gdq_model_scale": (c_int32, (_Model,)),
    "gdq_model_bit_widths": (c_int32, (_Model, POINTER(c_int32))),
    "gdq_model_isa": (c_char_p, (_Model,)),
    "gdq_model_kernel": (c_char_p, (_Model, c_int32)),
    "gdq_model_report": (c_char_p, (_Model, c_int32)),
    "gdq_model_predictor": (c_int32, (_Model,)),
    "gdq_runner_create": (_Runner, (_Model, c_int32, c_int32)),
    "gdq_runner_run": (c_int32, (_Runner, c_int32, c_void_p, c_void_p)),
    "gdq_runner_predict": (
        c_int32,
        (_Runner, c_void_p, POINTER(c_float), POINTER(c_float), POINTER(c_int32)),
    ),
    "gdq_runner_sense": (c_int32, (_Runner, c_void_p, POINTER(c_int32))),
    "gdq_runner_free": (None, (_Runner,)),
    "gdq_tile_statistics": (c_int32, (c_void_p, c_int32, c_int32, c_int32, POINTER(c_int32))),
}


class NativeLibrary:
    """The loaded library.

    Attributes:
        functions: the C functions, with the types of the header.

    """

    def __init__(self, path: Path) -> None:
        """Load the library from a file.

        Raises:
            EngineError: the file is missing, was built for another system, or has another version
                of the interface or only part of it.

        """
        if not path.is_file():
            raise EngineError(f"engine 'gdq' was not built with this installation: {_REMEDY}")
        try:
            self.functions = ctypes.CDLL(str(path))
            version = self.functions.gdq_abi_version()
        except (OSError, AttributeError) as error:
            raise EngineError(f"{path} cannot be loaded ({error}): {_REMEDY}") from error
        if version != ABI_VERSION:
            raise EngineError(
                f"{path} has interface version {version}, but this runtime needs {ABI_VERSION}: "
                f"{_REMEDY}"
            )
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self.functions, name, None)
            if function is None:
                raise EngineError(f"{path} is from an older build, without {name}: {_REMEDY}")
            function.restype, function.argtypes = result, arguments

    def instruction_sets(self) -> dict[str, bool]:
        """Return the library's instruction sets, best first, each with whether it runs here."""
        count = self.functions.gdq_isa_count()
        return {
            _text(self.functions.gdq_isa_name(index)): bool(self.functions.gdq_isa_available(index))
            for index in range(count)
        }

    def tile_statistics(self, tile: NDArray[np.uint8], side: int) -> NDArray[np.int64]:
        """Return the nine statistics of a tile; see ``gdq_core.sensitivity.statistics``.

        Raises:
            EngineError: the tile is smaller than 4 pixels, or larger than 4096.

        """
        height, width, _ = tile.shape
        pixels, found = np.ascontiguousarray(tile), (c_int32 * STATISTICS)()
        status = self.functions.gdq_tile_statistics(pixels.ctypes.data, height, width, side, found)
        if status < 0:
            raise EngineError(self.last_error())
        return np.array(found, np.int64)

    def last_error(self) -> str:
        """Return why the calling thread's last call failed."""
        return _text(self.functions.gdq_last_error())


class NativeModel:
    """A packed model, which threads may share.

    Attributes:
        scale: upscaling factor.
        instruction_set: name of the instruction set that it runs on.

    """

    def __init__(self, library: NativeLibrary, content: bytes, isa: str | None = None) -> None:
        """Read a packed model.

        Args:
            library: the library that runs it.
            content: content of the file, which the library copies.
            isa: name of the instruction set to run on; None for the best available.

        Raises:
            EngineError: the content is not a packed model, or the instruction set is unavailable.

        """
        functions = library.functions
        chosen = None if isa is None else isa.encode()
        self.library = library
        self.handle = functions.gdq_model_parse(content, len(content), chosen)
        if not self.handle:
            raise EngineError(library.last_error())
        _free_with(self, functions.gdq_model_free, self.handle)
        self.scale = int(functions.gdq_model_scale(self.handle))
        self.instruction_set = _text(functions.gdq_model_isa(self.handle))

    @property
    def bit_widths(self) -> tuple[int, ...]:
        """Bit-widths that the model can run, ascending."""
        widths = (c_int32 * 4)()
        count = self.library.functions.gdq_model_bit_widths(self.handle, widths)
        return tuple(widths[:count])

    @property
    def has_predictor(self) -> bool:
        """Whether the model has a predictor: a gate, or sensitivity heads."""
        return bool(self.library.functions.gdq_model_predictor(self.handle))

    def kernel(self, bit_width: int) -> str:
        """Return the name of the kernel of the 3x3 convolutions at one of the bit-widths."""
        return _text(self.library.functions.gdq_model_kernel(self.handle, bit_width))

    def report(self, bit_width: int) -> str:
        """Tell how each integer layer runs at one of the bit-widths, a line for each."""
        return _text(self.library.functions.gdq_model_report(self.handle, bit_width))


class NativeRunner:
    """The buffers of one thread for tiles of one size."""

    def __init__(self, model: NativeModel, height: int, width: int) -> None:
        """Allocate the buffers.

        Args:
            model: the model to run.
            height: height of the tiles in low-resolution pixels.
            width: width of the tiles in low-resolution pixels.

        Raises:
            EngineError: the library refuses the size, or there is not enough memory.

        """
        self._model = model
        self._shape = (height, width, 3)
        functions = model.library.functions
        self._handle = functions.gdq_runner_create(model.handle, height, width)
        if not self._handle:
            raise EngineError(model.library.last_error())
        _free_with(self, functions.gdq_runner_free, self._handle)

    def _pixels(self, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Check and return a tile in the layout that the library reads; it trusts the size."""
        if tile.shape != self._shape or tile.dtype != np.uint8:
            raise EngineError(
                f"a tile is {tile.dtype} {tile.shape}, but the buffers are for uint8 {self._shape}"
            )
        return np.ascontiguousarray(tile)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Upscale a uint8 tile (height, width, 3) to (height * scale, width * scale, 3).

        Raises:
            EngineError: the model cannot run this bit-width.

        """
        pixels = self._pixels(tile)
        height, width, channels = tile.shape
        scale, library = self._model.scale, self._model.library
        picture = np.empty((height * scale, width * scale, channels), np.uint8)
        status = library.functions.gdq_runner_run(
            self._handle, bit_width, pixels.ctypes.data, picture.ctypes.data
        )
        if status < 0:
            raise EngineError(library.last_error())
        return picture

    def predict(self, tile: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float, int]:
        """Choose a bit-width for a uint8 (height, width, 3) tile.

        Returns:
            The gate's logits (3,), the entropy in nats, and the bit-width.

        Raises:
            EngineError: the model has no predictor, or the tile is too small for it.

        """
        library, pixels = self._model.library, self._pixels(tile)
        logits, entropy, bit_width = (c_float * 3)(), c_float(), c_int32()
        status = library.functions.gdq_runner_predict(
            self._handle, pixels.ctypes.data, logits, entropy, bit_width
        )
        if status < 0:
            raise EngineError(library.last_error())
        return np.array(logits, np.float32), entropy.value, bit_width.value

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """Return what few bits would cost a uint8 (height, width, 3) tile.

        Raises:
            EngineError: the model has no sensitivity heads, or the tile is too small for them.

        """
        library, pixels = self._model.library, self._pixels(tile)
        heads = (c_int32 * HEADS)()
        if library.functions.gdq_runner_sense(self._handle, pixels.ctypes.data, heads) < 0:
            raise EngineError(library.last_error())
        return Sensitivity(*heads)


@cache
def load_library() -> NativeLibrary:
    """Load the installation's library, once.

    Raises:
        EngineError: the installation has none that runs here.

    """
    return NativeLibrary(LIBRARY)


def _free_with(owner: object, free: Any, handle: int) -> None:
    """Free a handle with its owner, but not at the program's end, when a thread may still run."""
    weakref.finalize(owner, free, handle).atexit = False


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
