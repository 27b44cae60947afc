"""Captured trainings and the runs of MLflow know one another.

    from expunge.integrations import mlflow as expunge_mlflow

    expunge_mlflow.autolog()

After that every captured training tags the MLflow run that is active, if there is one, and is
reported with its parameters. A run of MLflow that is begun inside of a captured training is tagged
by the plugin of this package, which MLflow finds by itself.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any

from expunge import capture
from expunge.sink import Finish

if TYPE_CHECKING:
    from expunge.sink import Sink, Start

logger = logging.getLogger("expunge.capture")
RUN_TAG, VERSION_TAG = "expunge.run", "expunge.version"
SNAPSHOT_TAG = "expunge.snapshot"  # by which an import of the store knows the members
_MOST = 200  # parameters that are reported
_current: ContextVar[str] = ContextVar("expunge_run", default="")


class RunContext:
    """Tags runs of MLflow that are begun while a training is captured (an entry point)."""

    def in_context(self) -> bool:
        """Return whether a captured training is under way here."""
        return bool(_current.get())

    def tags(self) -> dict[str, str]:
        """Return the tags of such a run."""
        return {RUN_TAG: _current.get()}


class Registered:
    """A sink that tells MLflow of the training, and the platform of the run of MLflow.

    MLflow is asked and told as far as it can be had: it never stops a training or its report.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._tracked: str = ""

    def begin(self, start: Start) -> str:
        """Open the run, and tag the run of MLflow that is active."""
        run = self.sink.begin(start)
        _current.set(run)
        self._note(RUN_TAG, run)
        if snapshot := str(getattr(self.sink, "snapshot", "")):
            self._note(SNAPSHOT_TAG, snapshot)
        return run

    def finish(self, run: str, finish: Finish) -> str:
        """Close the run, with the parameters of MLflow's among its metrics."""
        self._note(RUN_TAG, run)  # of a run that was begun meanwhile
        version = self.sink.finish(run, self._with_parameters(finish))
        self._note(VERSION_TAG, version)
        _current.set("")
        return version

    def fail(self, run: str, reason: str) -> None:
        """Mark the run as incomplete."""
        _current.set("")
        self.sink.fail(run, reason)

    def check(self, run: str) -> int:
        """As the sink."""
        return self.sink.check(run)

    def _note(self, tag: str, value: str) -> None:
        try:
            mlflow = import_module("mlflow")
            active = mlflow.active_run()
            self._tracked = active.info.run_id if active else self._tracked
            if self._tracked:
                mlflow.MlflowClient().set_tag(self._tracked, tag, value)
        except Exception as error:  # noqa: BLE001  (a tracker must not cost a training)
            logger.warning("MLflow was not told %s: %s.", tag, type(error).__name__)

    def _with_parameters(self, finish: Finish) -> Finish:
        if not self._tracked:
            return finish
        parameters: dict[str, Any] = {}
        try:
            told = import_module("mlflow").MlflowClient().get_run(self._tracked)
            parameters = dict(sorted(told.data.params.items())[:_MOST])
        except Exception as error:  # noqa: BLE001  (as above)
            logger.warning("MLflow did not tell its parameters: %s.", type(error).__name__)
        about = {"run": self._tracked, "parameters": parameters}
        return Finish(
            weights=finish.weights,
            used=finish.used,
            metrics={**finish.metrics, "mlflow": about},
            sampler=finish.sampler,
            first_steps=finish.first_steps,
        )


def autolog(*, disable: bool = False) -> None:
    """Tell MLflow of every training that is captured in this process from now on, or stop that."""
    capture.around_sinks[:] = [one for one in capture.around_sinks if one is not Registered]
    if not disable:
        capture.around_sinks.append(Registered)
