"""MLflow with a manifest: data sets by their digest, versions by run, records in files beside it.

MLflow does not know records and has no query further than one step, so this does what a careful
user would: a sorted list of records for each snapshot, and one search for each step.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import mlflow  # noqa: E402
import numpy as np  # noqa: E402
from mlflow import MlflowClient  # noqa: E402

from benchmarks.peers.driver import folder_bytes, main  # noqa: E402

_PIXELS = 32 * 32 * 3


class MLflow:
    """A tracking store in SQLite, with a folder of manifests."""

    def __init__(self) -> None:
        self.version = version("mlflow-skinny")
        self._home = tempfile.TemporaryDirectory()
        self._folder = Path(self._home.name)
        mlflow.set_tracking_uri(f"sqlite:///{self._folder / 'mlflow.db'}")
        mlflow.set_experiment("peers")
        self._client = MlflowClient()
        self._client.create_registered_model("model")
        self._digests: list[str] = []
        self._pixels = np.empty((0, 0), dtype=np.uint8)

    def register(self, graph: dict[str, Any]) -> None:
        """Make the contents of the records, which only the digest looks at."""
        drawn = np.random.default_rng(1)
        self._pixels = drawn.integers(0, 256, (graph["records"], _PIXELS), dtype=np.uint8)

    def fill(self, graph: dict[str, Any]) -> None:
        """Write a manifest for each snapshot, and a run with its version for each training."""
        for number, members in enumerate(graph["snapshots"]):
            np.save(self._folder / f"{number:06}.npy", np.array(members, dtype=np.uint32))
        read = [
            mlflow.data.from_numpy(  # type: ignore[attr-defined]
                self._pixels[members], name="records"
            )
            for members in graph["snapshots"]
        ]
        self._digests = [one.digest for one in read]
        for number, run in enumerate(graph["runs"]):
            with mlflow.start_run() as active:
                if run["snapshot"] is not None:
                    mlflow.log_input(read[run["snapshot"]], context="training")
                sources = {name: run[name] for name in ("base", "teacher")}
                mlflow.log_params({k: v for k, v in sources.items() if v is not None})
                pk = active.info.run_id
            made = self._client.create_model_version("model", f"runs:/{pk}/model", pk)
            assert int(made.version) == number + 1  # noqa: S101  (a benchmark)

    def size(self) -> int:
        """Return the bytes of the store and the manifests."""
        return folder_bytes(self._folder)

    def ask(self, records: list[int]) -> list[int]:
        """Search the manifests, then the runs of each data set, then what started from them."""
        wanted = np.array(records, dtype=np.uint32)
        digests = {
            digest
            for number, digest in enumerate(self._digests)
            if np.isin(wanted, np.load(self._folder / f"{number:06}.npy")).any()
        }
        found: set[int] = set()
        fresh = [one for digest in digests for one in self._of(f"dataset.digest = '{digest}'")]
        while fresh:
            one = fresh.pop()
            if one not in found:
                found.add(one)
                for name in ("base", "teacher"):
                    fresh += self._of(f"params.{name} = '{one}'")
        return list(found)

    def _of(self, condition: str) -> list[int]:
        """Return the versions of the runs that meet a condition."""
        return [
            int(made.version) - 1
            for run in mlflow.search_runs(filter_string=condition, output_format="list")
            for made in self._client.search_model_versions(f"run_id = '{run.info.run_id}'")
        ]


if __name__ == "__main__":
    main(MLflow)
