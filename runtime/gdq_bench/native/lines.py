"""The JSON lines that ``gdq_run`` prints (docs/gdq_run.md says what each key means)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gdq_core.errors import EngineError

Count = Annotated[int, Field(ge=0)]
Bits = Literal[4, 5, 6, 8, 32]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactsLine(_Line):
    """The machine, and how the program was built."""

    line: Literal["facts"]
    format: Literal[1]
    abi: Literal["arm64-v8a", "x86_64"]
    system: str
    can_load: bool
    features: list[str]
    instruction_sets: dict[str, bool]
    cores: Annotated[list[Count], Field(min_length=1)]
    held: bool
    held_error: str | None
    frequency_error: str | None


class Graph(_Line):
    """The graph of one width; what a library does not tell is None."""

    bits: Bits
    kernel: str | None
    nodes: Count | None
    accelerated_nodes: Count | None
    partitions: Count | None


class EngineLine(_Line):
    """An engine that was opened."""

    line: Literal["engine"]
    engine: str
    version: str
    reads: Literal["engine", "onnx", "tflite"]
    accelerator_asked: Literal["cpu", "nnapi"]
    accelerator_used: str
    isa: str | None
    graphs: list[Graph]


class GoldenLine(_Line):
    """What an engine made of the golden tiles at a width."""

    line: Literal["golden"]
    engine: str
    bits: Bits
    tiles: Count
    differences: dict[int, Count] | None
    sha256: Digest


class JudgedLine(_Line):
    """Whether an engine keeps the bounds at all its widths, and what its predictor decides."""

    line: Literal["judged"]
    engine: str
    holds: bool
    bit_widths: list[Bits] | None
    sensitivities: list[Annotated[list[int], Field(min_length=3, max_length=3)]] | None


class PictureLine(_Line):
    """What an engine makes of the whole picture."""

    line: Literal["picture"]
    engine: str
    bits: Bits | None
    tiles: Count
    predicted: bool
    sha256: Digest


class RoundLine(_Line):
    """One run that was timed."""

    line: Literal["round"]
    round: Count
    engine: str
    bits: Bits | None
    workers: Annotated[int, Field(ge=1)]
    at_ns: Count
    wall_ns: Annotated[int, Field(ge=1)]
    cpu_ns: Count
    cores_before: list[int]
    cores_after: list[int]
    khz: list[Count | None]


class ErrorLine(_Line):
    """Why the program gave up."""

    line: Literal["error"]
    engine: str | None
    message: str


class EndLine(_Line):
    """The program ended by itself."""

    line: Literal["end"]
    lines: Count
    status: Literal[0, 1, 2]


Line = (
    FactsLine | EngineLine | GoldenLine | JudgedLine | PictureLine | RoundLine | ErrorLine | EndLine
)

_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="line")])
_SHOWN = 200
"""First characters of a line that is none."""


def read_lines(text: str) -> list[Line]:
    """Read what the program printed, as far as it came.

    A last line without its end was cut off with the connection, and is left out. So is what
    follows on the program's own last line, such as a shell's farewell.

    Raises:
        EngineError: a line is none of the program's, or lines are missing before its last one.

    """
    lines: list[Line] = []
    for printed in text.replace("\r\n", "\n").split("\n")[:-1]:
        line = _read_line(printed)
        if isinstance(line, EndLine) and line.lines != len(lines):
            raise EngineError(f"gdq_run printed {line.lines} lines, but {len(lines)} came")
        lines.append(line)
        if isinstance(line, EndLine):
            break
    return lines


def _read_line(printed: str) -> Line:
    try:
        return _LINE.validate_json(printed)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the line"
        raise EngineError(
            f"gdq_run printed {printed[:_SHOWN]!r}, which is none of its lines: "
            f"{place}: {first['msg']}"
        ) from error
