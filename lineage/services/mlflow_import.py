"""Read an MLflow tracking store: runs, data sets, registered models, versions and aliases.

MLflow knows no membership, and its data set digest sees the first 10,000 elements only, so a
version from there is *possibly affected* by whatever its data set holds, unless the run carries
the tag ``expunge.snapshot`` with the id or the digest of a snapshot of this platform.
"""

from __future__ import annotations

import os
import uuid
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from lineage.models import (
    Dataset,
    DatasetSnapshot,
    LineageNode,
    ModelVersion,
    OrdinalSpace,
    Procedure,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.nodes import nodes_of
from lineage.services.openlineage_edges import connect, judge
from lineage.services.openlineage_names import state_of
from lineage.services.run_plans import effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE, SNAPSHOT_TAG, CONTEXT_TAG = "mlflow", "expunge.snapshot", "mlflow.data.context"
_PAGE = 500
_STATES = {
    "FINISHED": Run.State.COMPLETE,
    "RUNNING": Run.State.RUNNING,
    "SCHEDULED": Run.State.RUNNING,
}


class MlflowMissing(ImportError):
    """The package is not installed."""


class StoreUnreadable(ValueError):
    """There is no MLflow store at the address."""


@dataclass(frozen=True, kw_only=True)
class MlflowReport:
    """How many runs and versions are new, and of how many versions the aliases changed."""

    runs: int
    versions: int
    aliases: int


@contextmanager
def opened(uri: str) -> Iterator[Any]:
    """Yield a client of the store at ``uri``; no network but to that address.

    Raises:
        MlflowMissing, StoreUnreadable: with a sentence.
    """
    path = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not path.is_file():
        # MLflow would make an empty store there.
        raise StoreUnreadable(
            f"There is no MLflow store at {path}; give the file of an existing one."
        )
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what MLflow itself is built on
        try:
            from mlflow import MlflowClient  # noqa: PLC0415  (optional, and a second to import)
            from mlflow.exceptions import MlflowException  # noqa: PLC0415
        except ImportError as error:
            raise MlflowMissing(
                "MLflow is not installed here; install it with: pip install 'expunge[mlflow]'"
            ) from error
        try:
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
            yield client
        except (MlflowException, OSError, ValueError) as error:
            raise StoreUnreadable(f"The MLflow store cannot be read: {error}") from error


def import_store(*, uri: str, now: datetime) -> MlflowReport:
    """Bring in what the store holds; again, only what is new or changed there.

    Raises:
        MlflowMissing, StoreUnreadable: with a sentence.
    """
    with opened(uri) as client:
        runs = sum(
            _run(experiment.name, run, now)
            for experiment in _pages(client.search_experiments)
            for run in _pages(client.search_runs, [experiment.experiment_id])
        )
        told = [_version(client, version, now) for version in _pages(client.search_model_versions)]
    return MlflowReport(
        runs=runs, versions=sum(new for new, _ in told), aliases=sum(new for _, new in told)
    )


def _pages(search: Any, *arguments: Any) -> Iterator[Any]:  # noqa: ANN401  (of MLflow)
    token = None
    while True:
        page = search(*arguments, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


@transaction.atomic
def _run(experiment: str, run: Any, now: datetime) -> bool:  # noqa: ANN401
    external = f"mlflow:{run.info.run_id}"
    if known := Run.objects.filter(external_id=external).first():
        _refresh(known, run)
        return False
    procedure, _ = Procedure.objects.get_or_create(namespace=NAMESPACE, name=experiment[:200])
    made = Run.objects.create(
        procedure=procedure,
        activity=Run.Activity.TRAIN,
        state=_STATES.get(run.info.status, Run.State.INCOMPLETE),
        capture_level=Run.Capture.NONE,
        started_at=_moment(run.info.start_time) or now,
        ended_at=_moment(run.info.end_time),
        external_id=external,
    )
    declared = _declared(run.data.tags.get(SNAPSHOT_TAG, ""))
    if declared is not None:
        Run.objects.filter(id=made.id).update(capture_level=Run.Capture.SNAPSHOT)
        _read(made, declared, Role.TRAINING)
    for read in run.inputs.dataset_inputs if run.inputs else []:
        _read(made, _state(read.dataset, now), _role(read))
    return True


def _refresh(known: Run, run: Any) -> None:  # noqa: ANN401  (of MLflow)
    state = _STATES.get(run.info.status, Run.State.INCOMPLETE)
    Run.objects.filter(id=known.id).update(state=state, ended_at=_moment(run.info.end_time))


def _declared(tag: str) -> DatasetSnapshot | None:
    if not tag:
        return None
    named = Q(digest=tag)
    with suppress(ValueError):
        named |= Q(id=uuid.UUID(tag))
    return DatasetSnapshot.objects.filter(named).order_by("seq").first()


def _state(dataset: Any, now: datetime) -> DatasetSnapshot:  # noqa: ANN401  (of MLflow)
    found = Dataset.objects.filter(name=dataset.name).order_by("namespace").first()
    if found is None:
        space, _ = OrdinalSpace.objects.get_or_create(name=f"{NAMESPACE}/{dataset.name}"[:200])
        found = Dataset.objects.create(namespace=NAMESPACE, name=dataset.name[:200], space=space)
    return state_of(found, f"{NAMESPACE}:{dataset.digest}", now)


def _role(read: Any) -> str:  # noqa: ANN401  (of MLflow)
    tags = {tag.key: tag.value for tag in read.tags}
    context = tags.get(CONTEXT_TAG, "training").lower()
    return Role.TRAINING if context.startswith("train") else Role.VALIDATION


def _read(run: Run, snapshot: DatasetSnapshot, role: str) -> None:
    node = nodes_of([snapshot.id])[snapshot.id]
    RunInput.objects.get_or_create(
        run=run, node_id=node, role=role, defaults={"influence": effect_of(role)}
    )


@transaction.atomic
def _version(client: Any, told: Any, now: datetime) -> tuple[bool, bool]:  # noqa: ANN401
    """Return whether the version is new, and whether its aliases changed."""
    external = f"mlflow:{told.name}/{told.version}"[:200]
    aliases = _aliases(client, told)
    known = ModelVersion.objects.filter(external_id=external).first()
    if known is not None:
        if known.aliases == aliases:
            return False, False
        ModelVersion.objects.filter(id=known.id).update(aliases=aliases)
        return False, True
    run = Run.objects.filter(external_id=f"mlflow:{told.run_id}").first() or _origin(external, now)
    at = _moment(told.creation_timestamp) or now
    made = ModelVersion.objects.create(
        model_name=told.name[:200],
        version=_number(told),
        generated_by=run,
        generated_at=at,
        aliases=aliases,
        external_id=external,
    )
    node = LineageNode.objects.create(kind=LineageNode.Kind.MODEL, object_id=made.id)
    RunOutput.objects.create(run=run, node=node)
    connect(run, at)
    judge(run, now)
    return True, bool(aliases)


def _aliases(client: Any, told: Any) -> list[str]:  # noqa: ANN401  (of MLflow)
    of_model = client.get_registered_model(told.name).aliases
    return sorted(alias for alias, number in of_model.items() if str(number) == str(told.version))


def _number(told: Any) -> int:  # noqa: ANN401  (of MLflow)
    """Return the number of the version, or the next free one where we have another of it."""
    numbers = set(
        ModelVersion.objects.filter(model_name=told.name[:200]).values_list("version", flat=True)
    )
    wanted = int(told.version)
    return wanted if wanted not in numbers else max(numbers) + 1


def _origin(external: str, now: datetime) -> Run:
    """Return a run that stands for the unknown origin of a version without one."""
    return Run.objects.create(
        activity=Run.Activity.TRAIN,
        state=Run.State.COMPLETE,
        capture_level=Run.Capture.NONE,
        started_at=now,
        external_id=f"unknown origin of {external}"[:200],
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
