from __future__ import annotations

from bench.made_up import heat, phone_result, sustained
from gdq_bench.report.sustained_plot import lay_out_curves


def test_three_curves_inside_the_drawing() -> None:
    device = phone_result().device
    assert device is not None
    curves = lay_out_curves(sustained(2.0, 1.5, 1.0), device)
    assert [curve.name for curve in curves] == ["Mpixel/s", "hottest, °C", "clock at most, GHz"]
    assert [curve.top for curve in curves] == ["2", "41", "2.85"]
    speed = curves[0].points
    assert [x for x, _ in speed] == [speed[0][0], curves[0].left + 276, curves[0].right]
    assert speed[0][1] == curves[0].upper < speed[1][1] < speed[2][1] < curves[0].lower


def test_what_could_not_be_read_is_left_out() -> None:
    device = phone_result().device
    assert device is not None
    dark = heat(max_frequency={}).model_copy(update={"zones": {}})
    curves = lay_out_curves(sustained(1.0, reading=dark), device)
    assert [curve.name for curve in curves] == ["Mpixel/s"]
    assert len(curves[0].points) == 1
