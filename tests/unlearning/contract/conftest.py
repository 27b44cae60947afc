"""Each method, with each recipe that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unlearning.toys import Normed, Toy
from tests.unlearning.trying import METHODS, at_home, tried

if TYPE_CHECKING:
    from unlearning.core.method import Method


@pytest.fixture(params=METHODS.names())
def method(request: pytest.FixtureRequest) -> Method:
    return tried(request.param)


@pytest.fixture(params=[Toy, Normed], ids=["dropout", "batch norm"])
def recipe(request: pytest.FixtureRequest, method: Method) -> Toy:
    return at_home(method, request.param)
