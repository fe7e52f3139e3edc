from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir
import pytest

from exporter.networks import Network, random
from gdq_exporter.errors import ExportError
from gdq_exporter.passes.expand_merged_tail import ExpandMergedTailPass
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass
from gdq_exporter.passes.order import integer_passes, shared_passes, step_passes, width_passes
from gdq_exporter.passes.running import run_passes


class Failing(ir.passes.InPlacePass):
    """A pass whose ``call``, or a condition, raises an error."""

    def __init__(self, error: Exception, *, in_requires: bool = False) -> None:
        self._error, self._in_requires = error, in_requires

    def requires(self, model: ir.Model) -> None:
        if self._in_requires:
            raise self._error

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        raise self._error


def network() -> ir.Model:
    builder = Network(3)
    return builder.model(builder.conv(builder.x, random(3, 3, 3, 3)))


@pytest.mark.parametrize(
    ("failing", "sentence"),
    [
        (Failing(ExportError("it is too wide")), r"^it is too wide \(Failing, at 4 bits\)$"),
        (Failing(AssertionError("Add lacks input 1")), "Add lacks input 1; please report this"),
        (Failing(KeyError()), "KeyError; please report this"),
        (
            Failing(ir.passes.PreconditionError("an Add is left"), in_requires=True),
            "an Add is left; please report this",
        ),
    ],
)
def test_a_pass_that_fails_is_named(failing: Failing, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence) as raised:
        run_passes(network(), [ExplicitBiasPass(), failing], "at 4 bits")
    assert "Failing" in str(raised.value)
    if "report" in sentence:
        assert "Failing failed at 4 bits, after ExplicitBiasPass: " in str(raised.value)


def test_passes_run_in_order() -> None:
    model = run_passes(network(), [ExplicitBiasPass(), ExpandMergedTailPass()], "at 4 bits")
    assert [node.op_type for node in model.graph] == ["Conv"]


@pytest.mark.parametrize("condition", ["requires", "ensures"])
def test_every_pass_states_its_conditions(condition: str) -> None:
    passes = [
        *shared_passes(integer_tail=True), *width_passes(4), *step_passes({}), *integer_passes()
    ]  # fmt: skip
    for one in passes:
        stated: Callable[..., None] = getattr(type(one), condition)
        assert stated is not getattr(ir.passes.InPlacePass, condition), type(one).__name__
        assert stated.__doc__
