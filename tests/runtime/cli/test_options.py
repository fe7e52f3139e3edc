from __future__ import annotations

from typing import get_args

import click
import pytest
from click import Parameter

from gdq_runtime.cli.upscale import main
from gdq_runtime.engines.registry import DEFAULT_ENGINE, engine_names
from gdq_runtime.router import Bits
from gdq_runtime.tiling import POLICIES


def option(name: str) -> Parameter:
    return next(parameter for parameter in main.params if parameter.name == name)


@pytest.mark.parametrize(
    ("name", "choices", "default"),
    [
        ("engine", engine_names(), DEFAULT_ENGINE),
        ("policy", POLICIES, "uniform"),
        ("bits", tuple(map(str, get_args(Bits))), "auto"),
    ],
)
def test_choices_are_in_step(name: str, choices: tuple[str, ...], default: str) -> None:
    kind = option(name).type
    assert isinstance(kind, click.Choice)
    assert tuple(kind.choices) == choices
    assert option(name).default == default
