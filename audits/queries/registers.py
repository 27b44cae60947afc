"""The registers as their pages list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import Publication, Recipient
from audits.queries.told import OUT_OF_USE
from lineage.models import Deployment, ModelVersion

if TYPE_CHECKING:
    from django.db.models import QuerySet


def recipients() -> QuerySet[Recipient]:
    """Return all recipients, those still active first."""
    return Recipient.objects.prefetch_related("datasets", "versions").order_by("-active", "name")


def publications() -> QuerySet[Publication]:
    """Return all publications, those still there first."""
    found = Publication.objects.prefetch_related("datasets", "versions")
    return found.order_by("-active", "address")


def deployments(*, only_open: bool = False) -> QuerySet[Deployment]:
    """Return the deployments, the newest of each place first."""
    found = Deployment.objects.select_related("version", "replaced_by")
    if only_open:
        found = found.filter(switched_at=None, withdrawn_at=None)
    return found.order_by("place", "model_name", "-deployed_at")


def must_go() -> QuerySet[Deployment]:
    """Return where versions still run that are out of use."""
    return deployments(only_open=True).filter(version__state__in=OUT_OF_USE)


def deployable() -> QuerySet[ModelVersion]:
    """Return the versions that may be said to run somewhere: all but shadow models.

    Of each only its name is read, for lists of a thousand of them; the rest when it is asked for.
    """
    found = ModelVersion.objects.exclude(kind=ModelVersion.Kind.SHADOW)
    return found.only("model_name", "version").order_by("model_name", "-version")
