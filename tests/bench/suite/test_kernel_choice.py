from __future__ import annotations

from gdq_bench.suite.arm_cycles.layers import LayerCycles
from gdq_bench.suite.kernel_choice import judge

DIRECT = LayerCycles("direct_int8", 8, frozenset({8}), 30e6)
F22 = LayerCycles("f22_int8", 6, frozenset({5, 6}), 20e6)
K44 = LayerCycles("k44_int8", 4, frozenset({4}), 25e6)


def test_the_chosen_kernel_is_compared_with_the_fastest_exact_one() -> None:
    results = judge("32 channels on a76", [DIRECT, F22, K44])
    assert [(one.name.partition(", ")[2], one.value, one.is_reached) for one in results] == [
        ("4 bits: k44_int8, fastest f22_int8", 1.25, False),
        ("5 bits: f22_int8, fastest f22_int8", 1, True),
        ("6 bits: f22_int8, fastest f22_int8", 1, True),
        ("8 bits: direct_int8, fastest direct_int8", 1, True),
    ]
    assert results[0].facts == {"direct_int8": 30, "f22_int8": 20, "k44_int8": 25}
    assert list(results[3].facts) == ["direct_int8"]
