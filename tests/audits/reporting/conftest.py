"""A case of which everything is sealed, and its report."""

from __future__ import annotations

from typing import Any

import pytest

from audits import keys
from audits.execution import reporting
from tests.audits import sealed_cases

_RICH: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def installation(db, settings, tmp_path):
    sealed_cases.use_folder(settings, tmp_path)


@pytest.fixture
def rich():
    """A sealed case with everything, made once: record, key, report."""
    if not _RICH:
        request = sealed_cases.erased_case()
        _RICH["data"] = bytes(request.record.data)
        _RICH["vkey"] = keys.verifier_text()
        _RICH["pdf"] = reporting.render(_RICH["data"], vkey=_RICH["vkey"])
    return _RICH
