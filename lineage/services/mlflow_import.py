"""Read an MLflow tracking store: runs, data sets, registered models, versions and aliases.

MLflow knows no membership, and its data set digest sees the first 10,000 elements only, so a
version from there is *possibly affected* by whatever its data set holds, unless the run or the
version carries the tag ``expunge.snapshot`` with the ids or the digests of snapshots of this
platform, one for each data set that the run logged.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Min

from lineage.models import LineageNode, ModelVersion, Procedure, Run, RunOutput
from lineage.services.locking import lock_name
from lineage.services.mlflow_inputs import NAMESPACE, names_in, read_inputs, short_name
from lineage.services.mlflow_names import external_id, known_version, store_of
from lineage.services.openlineage_edges import connect, judge
from lineage.services.openlineage_names import unknown_origin
from lineage.services.recalling import recall_rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SNAPSHOT_TAG = "expunge.snapshot"
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
                "MLflow is not installed here; install it, in the checkout, with: "
                'pip install -e ".[mlflow]"'
            ) from error
        try:
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
            yield client
        except (MlflowException, OSError, ValueError) as error:
            raise StoreUnreadable(f"The MLflow store cannot be read: {error}") from error


def import_store(*, uri: str, now: datetime, store: str = "") -> MlflowReport:
    """Bring in what the store holds; again, only what is new or changed there.

    Args:
        uri: of the store.
        now: when.
        store: what tells it from other stores; its address (``store_of``) if not given. To be
            given, always the same, where a store has several addresses or gets a new one.

    Raises:
        MlflowMissing, StoreUnreadable: with a sentence.
    """
    with opened(uri) as client:
        versions = list(_pages(client.search_model_versions))
        tags = _tags(versions)
        runs = sum(
            _run(experiment.name, run, tags.setdefault(run.info.run_id, []), now)
            for experiment in _pages(client.search_experiments)
            for run in _pages(client.search_runs, [experiment.experiment_id])
        )
        name = store if store and "://" not in store else store_of(store or uri)
        told = [
            _version(client, name, version, tags.get(version.run_id or "", []), now)
            for version in versions
        ]
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


def _tags(versions: Iterable[Any]) -> dict[str, list[str]]:
    """Return, by run, the tags of its model versions that name snapshots."""
    found: dict[str, list[str]] = {}
    for version in versions:
        if tag := version.tags.get(SNAPSHOT_TAG):
            found.setdefault(version.run_id or "", []).append(tag)
    return found


@transaction.atomic
def _run(experiment: str, run: Any, tags: list[str], now: datetime) -> bool:  # noqa: ANN401
    """Write a run as it is by now; return whether it is new."""
    procedure, _ = Procedure.objects.get_or_create(
        namespace=NAMESPACE, name=short_name(experiment)
    )
    told = {
        "state": _STATES.get(run.info.status, Run.State.INCOMPLETE),
        "ended_at": _moment(run.info.end_time),
    }
    first = {
        "procedure": procedure,
        "activity": Run.Activity.TRAIN,
        "started_at": _moment(run.info.start_time) or now,
    }
    written, new = Run.objects.update_or_create(
        external_id=f"mlflow:{run.info.run_id}",
        defaults=told,
        create_defaults={**first, **told},
    )
    tags.append(run.data.tags.get(SNAPSHOT_TAG, ""))
    read_inputs(written, run.inputs.dataset_inputs if run.inputs else [], tags, now)
    _derive(written, tags, now)
    return new


def _derive(run: Run, tags: Iterable[str], now: datetime) -> None:
    """Derive the versions of a run from all that is known by now that it read."""
    made = ModelVersion.objects.filter(generated_by=run)
    if at := made.aggregate(first=Min("generated_at"))["first"]:
        since = run.started_at if _of_the_store(run) else None
        recall_rewritten(run, now, since=since, digests=names_in(tags))
        connect(run, at)
        judge(run, now)


def _of_the_store(run: Run) -> bool:
    """Whether the store tells of the run; else it stands for one that nobody told of."""
    return run.external_id.startswith(f"{NAMESPACE}:")


@transaction.atomic
def _version(
    client: Any,  # noqa: ANN401  (of MLflow)
    store: str,
    told: Any,  # noqa: ANN401
    tags: Iterable[str],
    now: datetime,
) -> tuple[bool, bool]:
    """Return whether the version is new, and whether its aliases changed.

    ``tags`` are those that name what its run read.
    """
    external = external_id(store, told)
    aliases = _aliases(client, told)
    known = known_version(store, told)
    if known is not None:
        _tell_origin(known.generated_by, told, now)
        if known.aliases == aliases:
            return False, False
        ModelVersion.objects.filter(id=known.id).update(aliases=aliases)
        return False, True
    run = Run.objects.filter(external_id=f"mlflow:{told.run_id}").first()
    if run is None:
        run = unknown_origin(external, now)
        _tell_origin(run, told, now)
    at = _moment(told.creation_timestamp) or now
    lock_name(f"model:{short_name(told.name)}")  # as whoever closes a run here
    made = ModelVersion.objects.create(
        model_name=short_name(told.name),
        version=_number(told),
        generated_by=run,
        generated_at=at,
        aliases=aliases,
        external_id=external,
    )
    node = LineageNode.objects.create(kind=LineageNode.Kind.MODEL, object_id=made.id)
    RunOutput.objects.create(run=run, node=node)
    _derive(run, tags, now)
    return True, bool(aliases)


def _tell_origin(run: Run, told: Any, now: datetime) -> None:  # noqa: ANN401  (of MLflow)
    """Read the tag of a version for the run that stands for its origin, if MLflow has none."""
    if not _of_the_store(run):
        tags = [told.tags.get(SNAPSHOT_TAG, "")]
        read_inputs(run, [], tags, now)
        _derive(run, tags, now)


def _aliases(client: Any, told: Any) -> list[str]:  # noqa: ANN401  (of MLflow)
    of_model = client.get_registered_model(told.name).aliases
    return sorted(alias for alias, number in of_model.items() if str(number) == str(told.version))


def _number(told: Any) -> int:  # noqa: ANN401  (of MLflow)
    """Return the number of the version, or the next free one where we have another of it."""
    versions = ModelVersion.objects.filter(model_name=short_name(told.name))
    numbers = set(versions.values_list("version", flat=True))
    wanted = int(told.version)
    return wanted if wanted not in numbers else max(numbers) + 1


def _moment(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
