"""Where the versions and verdicts of a whole case stand."""

from __future__ import annotations

from lineage.models import ModelVersion
from tests.audits.world import runs


def states():
    """The state of every model that is not a shadow."""
    found = ModelVersion.objects.filter(kind="MODEL")
    return {str(one): one.state for one in found}


def verdicts(case):
    return [[one.outcome for one in run.verdicts.all()] for run in runs(case)]
