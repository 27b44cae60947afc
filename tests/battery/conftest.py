"""How many experiments are drawn, and where the rates go that a check measures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.battery.stored import audits
from tests.battery.summary import FAIL_RATE, PASS_RATE

if TYPE_CHECKING:
    from tests.battery.stored import Pool, Rates


class Audit(Protocol):
    """Audit ``runs`` experiments drawn from a pool, as ``stored.audits`` does."""

    def __call__(self, name: str, found: Pool, models: int, **options: object) -> Rates: ...


@pytest.fixture(scope="session")
def runs() -> int:
    """How many experiments are drawn for each rate."""
    return int(os.environ.get("BATTERY_RUNS", "40"))


@pytest.fixture
def audit_lies(runs, record_property) -> Audit:
    """Audit what must not pass, and report how often it did."""

    def audit(name: str, found: Pool, models: int, **options: object) -> Rates:
        rates = audits(found, models, runs, **options)  # type: ignore[arg-type]  # of a test
        record_property(f"{PASS_RATE}.{name}@{models}", float(rates.passed))
        print(f"{name} at {models} models per arm: {rates}")
        return rates

    return audit


@pytest.fixture
def audit_truth(runs, record_property) -> Audit:
    """Audit what must not fail, and report how often it did."""

    def audit(name: str, found: Pool, models: int, **options: object) -> Rates:
        rates = audits(found, models, runs, **options)  # type: ignore[arg-type]  # of a test
        record_property(f"{FAIL_RATE}.{name}@{models}", float(rates.failed))
        print(f"{name} at {models} models per arm: {rates}")
        return rates

    return audit
