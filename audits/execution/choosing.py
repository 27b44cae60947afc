"""Which method a version is unlearned with, and why the installation's method is not taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.execution.asked import Asked
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
from unlearning.execution.privacy import terms_of
from unlearning.execution.running import METHODS
from unlearning.queries.catalogue import unsuited
from unlearning.recipes.sharded import Sharded
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from pyroaring import BitMap

    from audits.execution.asked import Accepted
    from lineage.models import ModelVersion
    from unlearning.core.planning.choice import Decision
    from unlearning.core.recipe import Recipe
    from unlearning.models import Tuning


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A method with its numbers; ``refused`` says why it is not the installation's.

    ``untuned`` says why numbers that were found for the method are not used, ``bound`` which
    (epsilon, delta) the choice takes of what is accepted.
    """

    method: str
    hyperparameters: Mapping[str, Any]
    tuning: Tuning | None = None
    refused: str = ""
    weighed: Mapping[str, Any] | None = None
    untuned: str = ""
    bound: tuple[float, float] = (0.0, 0.0)


RETRAIN = Choice(method=runs.RETRAIN, hyperparameters={})


def chosen(
    version: ModelVersion,
    forget: BitMap,
    *,
    case_id: UUID,
    together: Sequence[UUID] = (),
    asked: Asked | None = None,
) -> Choice:
    """Return the installation's method, with numbers found for this recipe, or an exact one.

    What an approximate method cannot do on a version is done exactly instead, in the cheapest way
    that what was kept of its training allows. A version is left alone where its training promised
    as much as the installation accepts. An operator's case is always done exactly: the planner
    weighs the installation's method, and refuses it. ``together`` are other cases that the run
    serves.
    """
    asked = asked or Asked()
    if intake_of(case_id) is Intake.OPERATOR:
        asked = replace(asked, intake=Intake.OPERATOR)
        numbers = settings.EXPUNGE_METHOD_SETTINGS
        return _taken(weighed(version, forget, approximate=numbers, asked=asked), asked)
    find = partial(found_for, case_id=case_id, together=together)
    return for_a_person(version, forget, find=find, asked=asked)


def for_a_person(
    version: ModelVersion, forget: BitMap, *, find: Callable[..., Found], asked: Asked
) -> Choice:
    """Return it for a person's request; ``find`` says which numbers of a search may be used."""
    weigh = partial(weighed, version, forget, asked=asked)
    method = settings.EXPUNGE_METHOD
    if method == runs.RETRAIN or exact_only():
        return _taken(weigh(), asked)
    found = Found()
    numbers = settings.EXPUNGE_METHOD_SETTINGS
    if not numbers:
        found = find(version=version, method=method)
        numbers = found.tuning.hyperparameters if found.tuning else {}
    reason = refusal(method, numbers, version) if method in METHODS else ""
    if reason:
        return replace(_taken(weigh(), asked), refused=reason)
    decision = weigh(approximate=numbers)
    if method_of(decision) in (runs.NO_ACTION, runs.NEWTON):
        return _accepted(decision, asked.accepted)
    return Choice(
        method=method,
        hyperparameters=numbers,
        tuning=found.tuning,
        untuned=found.refused,
        weighed=decision.as_dict() | {"set_by": "EXPUNGE_METHOD"},
    )


def _taken(decision: Decision, asked: Asked) -> Choice:
    if method_of(decision) in (runs.NO_ACTION, runs.NEWTON):
        return _accepted(decision, asked.accepted)
    return Choice(method=method_of(decision), hyperparameters={}, weighed=decision.as_dict())


def _accepted(decision: Decision, accepted: Accepted) -> Choice:
    """Take what an (epsilon, delta) allows.

    What is accepted is fixed with the run, whatever the settings say later.
    """
    method, won, told = method_of(decision), decision.winner, accepted.as_dict()
    return Choice(
        method=method,
        hyperparameters=told if method == runs.NO_ACTION else {},
        weighed=decision.as_dict() | {"accepted": told},
        bound=(won.epsilon or 0.0, won.delta or 0.0) if won else (0.0, 0.0),
    )


def refusal(name: str, numbers: Mapping[str, Any], version: ModelVersion) -> str:
    """Return why a method cannot be run on a version, before anything is run; empty if it can."""
    if reason := unsuited(name):
        return reason
    recipe = reader_of(version)
    if recipe is None:
        return ""  # the run says what is wrong with it, and staff decide
    if reason := _exact_only_of(recipe):
        return reason
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


def _exact_only_of(recipe: Recipe) -> str:
    """Return why no approximate method is for the models of a recipe; empty if some may be."""
    if isinstance(recipe, Sharded):
        return (
            "It is for one model, and this is a vote of shards, of which those that hold the "
            "records can be trained again."
        )
    if terms_of(recipe):
        return (
            "The version was trained with differential privacy, which an approximate method would "
            "give up and shadow models could not repeat."
        )
    return ""
