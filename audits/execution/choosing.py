"""Which method a version is unlearned with, and why the installation's method is not taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.execution.weighing import exact_only, method_of, weighed
from audits.queries.operator_cases import intake_of
from audits.queries.tunings import Found, found_for
from unlearning.core.claims import NotEligible
from unlearning.core.method import SettingRefused
from unlearning.core.planning.policy import Intake
from unlearning.core.ranges import OutOfRange
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU
from unlearning.execution.loading import reader_of
from unlearning.execution.running import METHODS
from unlearning.queries.catalogue import unsuited
from unlearning.recipes.sharded import Sharded
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import ModelVersion
    from unlearning.core.planning.choice import Decision
    from unlearning.models import Tuning


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A method with its numbers; ``refused`` says why it is not the installation's.

    ``untuned`` says why numbers that were found for the method are not used.
    """

    method: str
    hyperparameters: Mapping[str, Any]
    tuning: Tuning | None = None
    refused: str = ""
    weighed: Mapping[str, Any] | None = None
    untuned: str = ""


RETRAIN = Choice(method=runs.RETRAIN, hyperparameters={})


def chosen(
    version: ModelVersion, forget: BitMap, *, case_id: UUID, together: Sequence[UUID] = ()
) -> Choice:
    """Return the installation's method, with numbers found for this recipe, or an exact one.

    What an approximate method cannot do on a version is done exactly instead, in the cheapest way
    that what was kept of its training allows. An operator's case is always done exactly: the
    planner weighs the installation's method, and refuses it. ``together`` are other cases that
    the run serves.
    """
    if intake_of(case_id) is Intake.OPERATOR:
        numbers = settings.EXPUNGE_METHOD_SETTINGS
        return _taken(weighed(version, forget, approximate=numbers, intake=Intake.OPERATOR))
    shared = bool(together)
    method = settings.EXPUNGE_METHOD
    if method == runs.RETRAIN or exact_only():
        return _exactly(version, forget, shared=shared)
    found = Found()
    numbers = settings.EXPUNGE_METHOD_SETTINGS
    if not numbers:
        found = found_for(case_id=case_id, version=version, method=method, together=together)
        numbers = found.tuning.hyperparameters if found.tuning else {}
    reason = refusal(method, numbers, version) if method in METHODS else ""
    if reason:
        return replace(_exactly(version, forget, shared=shared), refused=reason)
    decision = weighed(version, forget, approximate=numbers)
    return Choice(
        method=method,
        hyperparameters=numbers,
        tuning=found.tuning,
        untuned=found.refused,
        weighed=decision.as_dict() | {"set_by": "EXPUNGE_METHOD"},
    )


def _exactly(version: ModelVersion, forget: BitMap, *, shared: bool) -> Choice:
    return _taken(weighed(version, forget, shared=shared))


def _taken(decision: Decision) -> Choice:
    return Choice(method=method_of(decision), hyperparameters={}, weighed=decision.as_dict())


def refusal(name: str, numbers: Mapping[str, Any], version: ModelVersion) -> str:
    """Return why a method cannot be run on a version, before anything is run; empty if it can."""
    if reason := unsuited(name):
        return reason
    recipe = reader_of(version)
    if isinstance(recipe, Sharded):
        return (
            "It is for one model, and this is a vote of shards, of which those that hold the "
            "records can be trained again."
        )
    if recipe is None:
        return ""  # the run says what is wrong with it, and staff decide
    try:
        method = METHODS.get(name)(**numbers)
    except (OutOfRange, SettingRefused, TypeError):
        return ""  # the run fails with the sentence, and retraining follows
    try:
        with isolated(0, CPU):
            method.eligible(recipe.build())
    except NotEligible as reason:
        return str(reason)
    return ""
