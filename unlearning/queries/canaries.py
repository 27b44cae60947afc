"""Which versions hold canaries, which were spent, and which secrets nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from lineage import keys
from lineage.models import Job, ModelVersion
from unlearning.models import Canaries, SpentCanaries, UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

J = Job.Status
MAY_GO_ON = (J.QUEUED, J.RUNNING, J.FAILED, J.CANCELLED)
R = UnlearningRun.Status
OPEN = (R.WAITING, R.QUEUED, R.RUNNING, R.SUCCEEDED)


def key_of(planting: UUID) -> str:
    """Return the name of the key that the canaries of a planting are drawn from."""
    return f"canaries:{planting}"


def seed_of(planting: UUID) -> int:
    """Return the secret of a planting as a number. Raises KeyMissing or KeyDestroyed."""
    return int.from_bytes(keys.get(key_of(planting)), "big")


def canaries_of(version: ModelVersion) -> Canaries | None:
    """Return the canaries that a version was trained with."""
    return Canaries.objects.filter(version=version).first()


def spent_by(run: UnlearningRun) -> SpentCanaries | None:
    """Return the canaries that were erased with the forget set of a run."""
    return SpentCanaries.objects.filter(run=run).first()


def unspent(planting: UUID) -> int:
    """Return the number of the first canary of a planting that no run has spent."""
    found = SpentCanaries.objects.filter(planting=planting).order_by("-last").first()
    return found.last if found else 0


def held() -> set[UUID]:
    """Return the plantings whose secret is needed: by a version that is there, or will be."""
    there = ~Q(version=None) & ~Q(version__state=ModelVersion.State.DESTROYED)
    found = set(Canaries.objects.filter(there).values_list("planting", flat=True))
    waiting = Canaries.objects.filter(version=None).values_list("planting", flat=True)
    trainings = Job.objects.filter(pk__in=waiting, status__in=MAY_GO_ON)
    found |= set(trainings.values_list("pk", flat=True))
    spending = SpentCanaries.objects.filter(run__status__in=OPEN)
    return found | set(spending.values_list("planting", flat=True))


def planted_in(versions: Iterable[UUID | None]) -> set[UUID]:
    """Return the plantings whose canaries some versions were trained with."""
    return set(Canaries.objects.filter(version__in=versions).values_list("planting", flat=True))


def forsaken() -> set[UUID]:
    """Return the plantings that no version has and whose secret is still stored."""
    return _stored(set(Canaries.objects.values_list("planting", flat=True)) - held())


def lost() -> set[UUID]:
    """Return the plantings that a version has and whose secret is not stored any more."""
    found = held()
    return found - _stored(found)


def _stored(plantings: Iterable[UUID]) -> set[UUID]:
    names = {key_of(one): one for one in plantings}
    return {names[name] for name in keys.get_many(names)}
