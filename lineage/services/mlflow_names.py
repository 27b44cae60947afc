"""What a model version of an MLflow store is called here: two of two stores are never one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from lineage.core.told_names import LONGEST, fitted, joined
from lineage.models import ModelVersion, Run
from lineage.services.mlflow_inputs import NAMESPACE

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_NOT_OF_THE_STORE = ("user", "pass", "token", "key", "ssl", "timeout")


def store_of(uri: str) -> str:
    """Return the address of a store without credentials and what else does not tell it apart.

    A file by its absolute path; a server or a database by scheme, host, port, path and the
    parameters that choose a part of it. A word such as ``databricks`` stands for itself.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("sqlite", "file"):
        place = unquote(parts.path)
        return f"{parts.scheme}:{Path(place[1:] if parts.scheme == 'sqlite' else place).resolve()}"
    if not parts.scheme:
        return f"file:{Path(uri).resolve()}" if Path(uri).exists() else uri
    scheme = parts.scheme.partition("+")[0]  # whichever driver
    scheme = {"postgres": "postgresql"}.get(scheme, scheme)
    return f"{scheme}://{_host(parts, scheme)}{parts.path.rstrip('/')}{_part(parts)}"


def _host(parts: SplitResult, scheme: str) -> str:
    host = parts.hostname or ""
    return host if parts.port in (None, _PORTS.get(scheme)) else f"{host}:{parts.port}"


def _part(parts: SplitResult) -> str:
    told = [
        (name, value)
        for name, value in sorted(parse_qsl(parts.query))
        if not any(word in name.lower() for word in _NOT_OF_THE_STORE)
    ]
    return f"?{urlencode(told)}" if told else ""


def external_id(store: str, told: Any) -> str:  # noqa: ANN401  (of MLflow)
    """Return by what id a model version of a store is known here."""
    return fitted(f"{NAMESPACE}:", joined(store, told.name, str(told.version)))


def known_version(store: str, told: Any) -> ModelVersion | None:  # noqa: ANN401  (of MLflow)
    """Return the version as it is known here, or as it was before ids named the store.

    That id named no store: the version has it only where its run is the same, or unknown both
    here and there.
    """
    versions = ModelVersion.objects.select_related("generated_by")
    external = external_id(store, told)
    if known := versions.filter(external_id=external).first():
        return known
    old = versions.filter(external_id=f"{NAMESPACE}:{told.name}/{told.version}"[:LONGEST]).first()
    if old is None or not _of_its_run(old, f"{NAMESPACE}:{told.run_id}"):
        return None
    old.external_id = external
    old.save(update_fields=["external_id"])
    return old


def _of_its_run(old: ModelVersion, run: str) -> bool:
    maker = old.generated_by.external_id
    unknown = not maker.startswith(f"{NAMESPACE}:")
    return maker == run or (unknown and not Run.objects.filter(external_id=run).exists())
