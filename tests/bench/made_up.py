"""Results that were not measured."""

from __future__ import annotations

from gdq_bench.measure.machine import describe_machine
from gdq_bench.measure.statistics import Spread, spread_of
from gdq_bench.protocol import (
    BenchResult,
    EngineFacts,
    GoldenTiles,
    PictureSize,
    PictureTimes,
    Settings,
    TileTimes,
)


def spread(median: float, scatter: float = 0.0) -> Spread:
    """Three rounds; the quartiles lie ``scatter`` over the median apart."""
    return spread_of([median * (1 - scatter), median, median * (1 + scatter)])


def tile(
    bits: int = 8, wall: float = 0.02, *, engine: str = "onnxruntime", scatter: float = 0.0
) -> TileTimes:
    return TileTimes(
        engine=engine, bits=bits, wall=spread(wall, scatter), cpu=spread(0.02), ratio=spread(1)
    )


def picture(
    bits: int | None = None,
    *,
    engine: str = "onnxruntime",
    workers: int = 1,
    wall: float = 1.0,
    cpu: float = 1.0,
    psnr: float = 30.0,
) -> PictureTimes:
    return PictureTimes(
        engine=engine,
        bits=bits,
        wall=spread(wall),
        cpu=spread(cpu),
        ratio=None,
        workers=workers,
        megapixels_per_second=2 / wall,
        fab=4.5,
        network_fab=5,
        psnr_y=psnr,
        loss_db=0.125,
        milliseconds_per_tile=7.5,
        speedup=None if workers == 1 else spread(1.9),
    )


def engine_facts(*, used: str = "CPU", beyond_one: float = 0.0) -> EngineFacts:
    return EngineFacts(
        name="onnxruntime",
        accelerator_asked="CPU",
        accelerator_used=used,
        golden=GoldenTiles(
            equal=1 - beyond_one,
            beyond_one=beyond_one,
            largest=7 if beyond_one else 0,
            same_bit_width=4,
            tiles=4,
            holds=not beyond_one,
        ),
    )


def result(**changes: object) -> BenchResult:
    made = BenchResult(
        target="host",
        machine=describe_machine(["numpy"]),
        settings=Settings(
            bundle="tiny",
            network="edsr",
            scale=2,
            profile="test",
            checkpoint="0" * 64,
            tile=32,
            overlap=4,
            tile_rounds=24,
            picture_rounds=3,
            data="<photos>",
            pictures=[PictureSize(name="a", width=2000, height=1000)],
        ),
        engines=[engine_facts()],
        baseline="onnxruntime, 8 bits",
        tiles=[tile(4), tile(8), tile(32)],
        pictures=[picture(), picture(workers=2, wall=0.5), picture(8, wall=1.25, psnr=30.2)],
        warnings=[],
        notes=[],
    )
    return made.model_copy(update=changes)
