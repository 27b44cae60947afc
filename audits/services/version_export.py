"""Write a model version into a folder, signed, for tools that know nothing of this platform."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction

from audits import keys
from audits.core.canonical import sha256, write_json
from audits.core.events import instant
from audits.core.model_key import model_sign, public_pem
from audits.core.model_manifest import PUBLIC_KEY, SIGNATURE, bundle_of, statement_of
from audits.queries.releases import is_held
from audits.queries.serving import HELD, version_of
from audits.services import log
from audits.services.serving import give_version
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

WEIGHTS, FACTS = "model.safetensors", "version.json"


class ExportRefused(ValueError):
    """The version is not in use, or the folder is taken; the sentence says which."""


@transaction.atomic
def export_version(
    *, version: ModelVersion, folder: Path, now: datetime, reader: str = ""
) -> list[str]:
    """Write weights, facts, ``model.sig`` and ``model.pub`` into a new folder; return the names.

    The folder appears whole or not at all. What leaves is an event of the log. ``reader``: whoever
    receives it, by the name of their API keys, so that they count as having had this version.

    Raises:
        ExportRefused: the version is not in use, or there is something at the folder.
        VersionNotHere: it is a shadow model or a component.
        VersionNotServed, ReaderRefused: the reader may not have it.
        ArtefactMissing, ArtefactAltered: its weights are gone, or not those that were stored.
        SigningKeyMissing, KeyFileRefused: there is no key to sign with.
        OSError: the folder cannot be written.
    """
    _check(version, folder)
    if reader:
        give_version(reader=reader, version_id=version.pk, now=now)
    weights = weights_of(version)
    files = {WEIGHTS: weights, FACTS: _facts(version)}
    signature = _signature(str(version), files)
    data = {"version": version.pk, "weights": sha256(weights), "manifest": sha256(signature)}
    log.append(type="version_exported", case=None, now=now, data=data)
    public = public_pem(keys.model_key()).encode()
    _write(folder, {**files, SIGNATURE: signature, PUBLIC_KEY: public})
    return [*files, SIGNATURE, PUBLIC_KEY]


def _check(version: ModelVersion, folder: Path) -> None:
    version_of(version.pk)
    if is_held(version):
        raise ExportRefused(HELD.format(version=version))
    if version.state != ModelVersion.State.ACTIVE:
        state = version.get_state_display().lower()
        raise ExportRefused(f"{version} is {state}; only active versions are exported.")
    if folder.exists():
        raise ExportRefused(f"The folder is {folder}, where something is; name a new one.")


def _signature(name: str, files: Mapping[str, bytes]) -> bytes:
    private = keys.model_key()
    statement = statement_of(name, {path: sha256(data) for path, data in files.items()})
    return bundle_of(statement, public=public_pem(private), sign=partial(model_sign, private))


def _facts(version: ModelVersion) -> bytes:
    run = version.generated_by
    return write_json(
        {
            "id": str(version.pk),
            "model": version.model_name,
            "version": version.version,
            "generated_at": instant(version.generated_at),
            "activity": run.activity,
            "recipe": run.recipe,
            "recipe_digest": run.recipe_digest,
            "guarantee": version.guarantee,
        }
    )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in files.items():
            (aside / name).write_bytes(data)
        aside.chmod(0o755)
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
