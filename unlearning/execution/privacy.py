"""Private trainings of the platform: whose records they see, and what they promise."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone

from lineage.queries.sources import learned_by, learned_otherwise
from lineage.queries.subjects import owners_of
from unlearning.core.gradient_recipe import GradientRecipe
from unlearning.core.private.accounting import Mechanism, mechanism
from unlearning.core.private.terms import PrivacyRefused
from unlearning.queries.privacy import privacy_of
from unlearning.services.privacy import keep_privacy

if TYPE_CHECKING:
    from pyroaring import BitMap

    from lineage.models import ModelVersion, OrdinalSpace
    from lineage.queries.training_view import TrainingView
    from unlearning.core.private.terms import Privacy
    from unlearning.core.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Bound:
    """The (epsilon, delta) of a version for all the people of a forget set together."""

    epsilon: float
    delta: float
    people: int


def terms_of(recipe: Recipe) -> Privacy | None:
    """Return what a recipe asks for where it trains privately, else None."""
    return recipe.privacy if isinstance(recipe, GradientRecipe) else None


def hidden(recipe: Recipe, view: TrainingView) -> dict[str, Any]:
    """Return ``people`` and a fresh ``secret`` of the session of a private training.

    The secret is kept nowhere: whoever had it could take the noise away again. A training that is
    tried again draws another.
    """
    if terms_of(recipe) is None:
        return {"secret": secrets.token_bytes(32)} if recipe.noisy else {}
    people = _people(view.snapshot.space, view.ordinals)
    return {"people": people, "secret": secrets.token_bytes(32)}


def keep(version: ModelVersion, recipe: Recipe, view: TrainingView) -> None:
    """Write down what a private training on a view promised each person."""
    privacy = terms_of(recipe)
    if privacy is None or not isinstance(recipe, GradientRecipe):
        return
    sizes = np.unique(_people(view.snapshot.space, view.ordinals), return_counts=True)[1]
    planned = recipe.plan(int(sizes.sum()), 0)  # which a recipe may have of its own
    given = mechanism(
        privacy,
        records=int(sizes.sum()),
        people=len(sizes),
        batch_size=planned.batch_size,
        epochs=planned.epochs,
    )
    keep_privacy(
        version=version,
        clip=privacy.clip,
        mechanism=given.as_dict(),
        epsilon=_finite(given.epsilon()),
        people=len(sizes),
        largest=int(sizes.max()),
        now=timezone.now(),
    )


def bound(version: ModelVersion, space: OrdinalSpace, forget: BitMap) -> Bound | str:
    """Return what a version promised the people of a forget set together, or why it is nothing.

    They are counted as they were in the training: by whose each record is, a record of nobody by
    itself. So a forget set that holds records of several, kept duplicates for instance, is met by
    group privacy.
    """
    kept = privacy_of(version)
    if kept is None:
        return "The version was not trained with differential privacy for each person."
    unseen = not forget or forget - learned_by(version, space)
    if unseen or learned_otherwise(version, space, forget):
        return "The records reached the version otherwise than through its own private training."
    people = len(set(_people(space, forget)))
    told = Mechanism(
        noise=kept.noise,
        rate=kept.rate,
        steps=kept.steps,
        delta=kept.delta,
        accountant=kept.accountant,
    )
    try:
        epsilon = _finite(told.epsilon(people))
    except PrivacyRefused as reason:  # without Opacus a plan is drawn nevertheless
        return str(reason)
    if epsilon is None:
        return f"Its noise promises nothing to {people} people together."
    return Bound(epsilon=epsilon, delta=kept.delta, people=people)


def _people(space: OrdinalSpace, ordinals: BitMap) -> list[int]:
    """Return a number for whose each record is, in the order of the ordinals."""
    owners = owners_of(space, ordinals)
    return [-1 - one if owners[one] is None else int(owners[one] or 0) for one in ordinals]


def _finite(epsilon: float) -> float | None:
    return epsilon if math.isfinite(epsilon) else None
