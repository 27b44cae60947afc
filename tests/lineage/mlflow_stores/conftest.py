"""MLflow stores: an empty one, and one with a run."""

from __future__ import annotations

import pytest

from lineage.services.mlflow_import import opened


@pytest.fixture(scope="package")
def empty(tmp_path_factory):
    """The file of an empty store: MLflow takes seconds to make one."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    file.touch()
    with opened(f"sqlite:///{file}"):
        return file


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path / 'mlflow.db'}"
