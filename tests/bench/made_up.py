"""Results that were not measured."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_bench.measure.machine import describe_machine
from gdq_bench.measure.statistics import Spread, spread_of
from gdq_bench.protocol import (
    BenchResult,
    Cluster,
    DeviceFacts,
    EngineFacts,
    GoldenTiles,
    Graph,
    Heat,
    Minute,
    PictureSize,
    PictureTimes,
    Settings,
    Sustained,
    TileTimes,
    list_rounds,
)


def times(median: float, scatter: float = 0.0) -> list[float]:
    """Five rounds; the quartiles lie ``scatter`` over the median apart."""
    return [median * (1 + scatter * apart) for apart in (-1, -0.5, 0, 0.5, 1)]


def spread(median: float, scatter: float = 0.0) -> Spread:
    return spread_of(times(median, scatter))


def tile(
    bits: int = 8,
    wall: float = 0.02,
    *,
    engine: str = "onnxruntime",
    scatter: float = 0.0,
    cluster: str | None = None,
    cpu: float = 0.02,
) -> TileTimes:
    return TileTimes(
        cluster=cluster,
        engine=engine,
        bits=bits,
        rounds=list_rounds(times(wall, scatter), times(cpu)),
        wall=spread(wall, scatter),
        cpu=spread(cpu),
        ratio=spread(1),
    )


def picture(
    bits: int | None = None,
    *,
    engine: str = "onnxruntime",
    workers: int = 1,
    wall: float = 1.0,
    cpu: float = 1.0,
    psnr: float | None = 30.0,
    cluster: str | None = None,
) -> PictureTimes:
    return PictureTimes(
        cluster=cluster,
        engine=engine,
        bits=bits,
        rounds=list_rounds(times(wall), times(cpu)),
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


def engine_facts(
    *, used: str = "CPU", beyond_one: float = 0.0, graphs: Sequence[Graph] = ()
) -> EngineFacts:
    return EngineFacts(
        name="onnxruntime",
        graphs=list(graphs),
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


CLUSTERS = [
    Cluster(name="little", cores=[0, 1, 2, 3], capacity=124, max_frequency=1803000),
    Cluster(name="big", cores=[6, 7], capacity=1024, max_frequency=2850000),
]


def heat(
    when: str = "before tiles on big",
    *,
    seconds: float = 0.0,
    status: int | None = 0,
    max_frequency: dict[int, int] | None = None,
    is_awake: bool | None = False,
    is_charging: bool | None = True,
    level: int | None = 87,
    charge: int | None = 3720000,
    rails: dict[str, int] | None = None,
) -> Heat:
    return Heat(
        seconds=seconds,
        when=when,
        zones={"BIG": 41.0, "battery": 29.0},
        status=status,
        headroom=0.5,
        max_frequency={0: 1803000, 6: 2850000} if max_frequency is None else max_frequency,
        battery_level=level,
        battery_temperature=29.0,
        rails=rails or {},
        charge=charge,
        voltage=4000,
        is_charging=is_charging,
        is_awake=is_awake,
        missing={},
    )


def phone_result(model: str = "Pixel 7", inputs: str = "e" * 64, **changes: object) -> BenchResult:
    made = result()
    machine = made.machine.model_copy(
        update={"processor": model, "python": None, "libraries": {"gdq": "9"}}
    )
    device = DeviceFacts(
        serial="2A221FDH",
        model=model,
        soc="Google GS201",
        android="Android 14 (API 34)",
        api=34,
        abi="arm64-v8a",
        build="google/panther",
        program="a" * 64,
        clusters=CLUSTERS,
        measured=["big"],
    )
    phone: dict[str, object] = {
        "target": "adb",
        "machine": machine,
        "device": device,
        "settings": made.settings.model_copy(update={"inputs": inputs}),
        "tiles": [tile(4, cluster="big", engine="gdq"), tile(8, cluster="big", engine="gdq")],
        "pictures": [
            picture(cluster="big", engine="gdq", psnr=None),
            picture(8, cluster="big", engine="gdq", psnr=None),
        ],
        "heat": [heat()],
    }
    return made.model_copy(update=phone | changes)


def sustained(*speeds: float, reading: Heat | None = None) -> Sustained:
    """Minutes at these speeds."""
    return Sustained(
        cluster="big",
        engine="gdq",
        workers=2,
        minutes=[
            Minute(megapixels_per_second=speed, heat=heat() if reading is None else reading)
            for speed in speeds
        ],
        last_over_first=speeds[-1] / speeds[0],
        megapixels_per_percent=None,
        joules_per_megapixel=None,
        no_energy="no energy: the battery is charged over the cable",
    )
