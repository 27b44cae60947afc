"""Runs that are opened, and their results."""

from __future__ import annotations

import uuid
from typing import Any

from lineage.services.runs import RunPlan, RunResult, begin_run
from tests.lineage.builders import data

CASE = uuid.UUID(int=1)


def opened(taken, now, **plan: Any):  # noqa: ANN401  (of several types)
    return begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(taken),), **plan), now=now)


def result(name="m", **more: Any):  # noqa: ANN401  (of several types)
    return RunResult(model_name=name, weights=b"weights", **more)
