from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.made_up import picture
from gdq_bench.report.speed_plot import plot_speed

POINTS = st.lists(
    st.tuples(st.floats(min_value=1e-3, max_value=1e4), st.floats(min_value=5, max_value=100)),
    min_size=1,
    max_size=12,
)


@given(POINTS)
def test_everything_lies_inside_and_the_axes_have_few_lines(
    points: list[tuple[float, float]],
) -> None:
    plot = plot_speed([picture(wall=wall, psnr=psnr) for wall, psnr in points])
    for mark in plot.marks:
        assert plot.left <= mark.x <= plot.right
        assert plot.top <= mark.y <= plot.bottom
    for lines in (plot.columns, plot.rows):
        assert 2 <= len(lines) <= 8
        assert len({line.name for line in lines}) == len(lines)


def test_faster_is_to_the_right_and_better_is_up() -> None:
    slow, fast = plot_speed([picture(8, wall=2, psnr=31), picture(4, wall=1, psnr=30)]).marks
    assert slow.x < fast.x
    assert slow.y < fast.y
    assert fast.name == "onnxruntime, 4 bits: 2.000 Mpixel/s, 30.00 dB"


def test_one_worker_and_a_colour_for_each_engine() -> None:
    pictures = [
        picture(), picture(workers=2), picture(4), picture(32), picture(engine="litert")
    ]  # fmt: skip
    plot = plot_speed(pictures)
    assert plot.engines == ["onnxruntime", "litert"]
    assert [(mark.engine, mark.shape) for mark in plot.marks] == [
        (0, "routed"), (0, "fixed"), (0, "float"), (1, "routed")
    ]  # fmt: skip
