"""What a run of MLflow read: the data sets it logged, and the snapshots that tags name."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from lineage.core.told_names import LONGEST
from lineage.models import Dataset, DatasetSnapshot, Role, Run, RunInput
from lineage.queries.nodes import nodes_of
from lineage.services.openlineage_names import dataset_of, state_of
from lineage.services.run_plans import effect_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NAMESPACE, CONTEXT_TAG = "mlflow", "mlflow.data.context"
_DIGITS = 16  # of a digest at the end of a name that is cut


def short_name(name: str) -> str:
    """Return a name as our columns hold it: two that begin alike stay two."""
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name[: LONGEST - _DIGITS - 1]}~{digest[:_DIGITS]}"


def read_inputs(run: Run, logged: Iterable[Any], tags: Iterable[str], now: datetime) -> None:
    """Write what a run read, again only what is new, and how far its members are known.

    Args:
        run: as it stands here.
        logged: the data sets that MLflow knows, each with its tags.
        tags: each names snapshots of this platform, separated by commas.
        now: when a data set that is not known here was met.
    """
    logged = list(logged)
    declared = [_declared(one) for one in names_in(tags)]
    for snapshot in {one.id: one for group in declared for one in group}.values():
        _read(run, snapshot, Role.TRAINING)
    for one in logged:
        for dataset in _datasets(one.dataset):
            _read(run, state_of(dataset, f"{NAMESPACE}:{one.dataset.digest}", now), _role(one))
    known = declared and all(declared) and _covered(logged, declared)
    run.capture_level = Run.Capture.SNAPSHOT if known else Run.Capture.NONE
    run.save(update_fields=["capture_level"])


def names_in(tags: Iterable[str]) -> list[str]:
    """Return the ids and digests of snapshots that tags name."""
    return [part.strip() for tag in tags for part in tag.split(",") if part.strip()]


def _declared(name: str) -> list[DatasetSnapshot]:
    """Return the snapshots of an id or a digest; two data sets may hold the same ordinals.

    A hard purge may have given a snapshot another digest since.
    """
    named = Q(digest=name) | Q(supersessions__previous_digest=name)
    with suppress(ValueError):
        named |= Q(id=uuid.UUID(name))
    found = DatasetSnapshot.objects.filter(named).order_by("-seq")
    return list({snapshot.dataset_id: snapshot for snapshot in found}.values())


def _datasets(logged: Any) -> list[Dataset]:  # noqa: ANN401  (of MLflow)
    """Return every data set of that name: MLflow knows no namespaces, so it may be each."""
    name = short_name(logged.name)
    return list(Dataset.objects.filter(name=name)) or [dataset_of(NAMESPACE, name)]


def _covered(logged: Iterable[Any], declared: Iterable[list[DatasetSnapshot]]) -> bool:
    """Whether there is a snapshot for each state of a data set that the run logged."""
    states: dict[str, set[str]] = {}
    for one in logged:
        states.setdefault(one.dataset.name, set()).add(one.dataset.digest)
    names = [{snapshot.dataset.name for snapshot in group} for group in declared]
    return all(
        len(digests) <= sum(name in group for group in names) for name, digests in states.items()
    )


def _role(one: Any) -> str:  # noqa: ANN401  (of MLflow)
    tags = {tag.key: tag.value for tag in one.tags}
    context = tags.get(CONTEXT_TAG, "training").lower()
    return Role.TRAINING if context.startswith("train") else Role.VALIDATION


def _read(run: Run, snapshot: DatasetSnapshot, role: str) -> None:
    node = nodes_of([snapshot.id])[snapshot.id]
    RunInput.objects.get_or_create(
        run=run, node_id=node, role=role, defaults={"influence": effect_of(role)}
    )
