from __future__ import annotations

import pytest

from gdq_bench.suite.arm_cycles.parts import PARTS, part_of, stages_of
from gdq_devices.emulated.llvm import Function

TRANSFORMED = "gdq::dotprod::Transformed<gdq::dotprod::{0}, gdq::dotprod::{0}, {1}>::run(gdq::C&)"

REAL = "void gdq::x::real_transformed<{0}>(gdq::Convolution const&)"


@pytest.mark.parametrize(
    ("function", "stage"),
    [
        ("gdq::dotprod::head(gdq::Convolution const&)", "head"),
        (REAL.format("gdq::dotprod::Single, gdq::dotprod::EightPoints<6>"), "body end"),
        (
            REAL.format("gdq::half::Half<StreamWriter>, gdq::half::SixPoints<4>"),
            "body end",
        ),
        (
            REAL.format("gdq::half::Half<PictureWriter>, gdq::half::EightPoints<4>"),
            "tail",
        ),
        ("gdq::dotprod::border(gdq::Convolution const&)", "tail"),
        ("void gdq::dotprod::body_transformed<gdq::dotprod::K4, gdq::dotprod::K4>(L&)", "body"),
        (TRANSFORMED.format("Direct", "signed char"), "body"),
        ("void gdq::dotprod::write_body_tiles<gdq::dotprod::K4>(L&)", None),
        ("void gdq::dotprod::finish<8u>(gdq::Epilogue const&, gdq::Sums const&)", None),
        ("gdq::Runner::run(int, unsigned char const*, unsigned char*)", "other"),
    ],
)
def test_a_function_begins_a_stage_or_belongs_to_the_last(function: str, stage: str | None) -> None:
    stage_of = stages_of([Function("first", 0, 16), Function(function, 16, 32)], base=4096)
    assert stage_of(4096 + 16) == stage_of(4096 + 28) == stage


def test_what_is_in_no_function_belongs_to_the_last_stage() -> None:
    stage_of = stages_of([Function("gdq::Runner::run()", 16, 32)], base=4096)
    assert stage_of(4096 + 32) is None
    assert stage_of(0) is None


@pytest.mark.parametrize(
    ("frames", "part"),
    [
        (["gdq::x::load<V>(void const*)", "void gdq::x::accumulate<D>(int)", "run"], "products"),
        (["void gdq::x::finish_group<8u>(int)", "void gdq::x::finish<8u>(int)"], "epilogue"),
        (["gdq::x::K4::input<V>(V)", "gdq::x::T::read_tile<8>(int)", "run"], "transforms"),
        (["gdq::x::Finish<(End)1>::write(I16)", "write_body_tile<K4>", "run"], "epilogue"),
        (["store<V>", "write", "write_body_tile<K4>"], "epilogue"),
        (["load<V>", "write_body_tile<K4>", "write_body_tiles<K4>"], "transforms"),
        (["void gdq::x::RowSums<8>::add_products<C>(int)", "multiply_body<K4>"], "products"),
        (["dot8", "void gdq::x::PairSums<Isa, 8>::add_taps<C>(int)", "direct_rows"], "products"),
        (["gdq::x::RealFinish<(End)1>::scaled(F32, F32)", "direct_rows"], "epilogue"),
        (["void gdq::x::direct_rows<(End)1>(L&)"], "transforms"),
        (["memset"], "other"),
        ([], "other"),
    ],
)
def test_within_the_body_the_innermost_known_function_tells(frames: list[str], part: str) -> None:
    assert part_of("body", frames) == part
    assert part in PARTS


def test_outside_the_body_the_stage_is_the_part() -> None:
    assert part_of("tail", ["gdq::x::accumulate<D>(int)"]) == "tail"
    assert part_of("", ["gdq::x::accumulate<D>(int)"]) == "other"
