"""Give versions to readers, none of whom has two that differ by an erasure.

A reader is everybody who uses API keys of one name: a new key of the same name is the same
reader. What it was given is never forgotten, since a copy may have been kept. A reader that
*follows* is a server of the controller's own: once a version is out of use and it has said that
nothing is left of it, it goes on with the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from audits.models import Reading
from audits.queries.releases import is_held, replacements, stand_ins
from audits.queries.serving import HELD, check_model, version_of
from audits.services import log
from lineage.models import ApiKey, ModelVersion
from unlearning.core.release.readers import may_read

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

COARSE = ("1", "2", "LABELS")


class VersionNotServed(ValueError):
    """The version is not in use."""


class ReaderRefused(PermissionError):
    """The reader has had a version that differs from this one by an erasure."""


class TooEarly(ValueError):
    """The reader may go on with this version, and something must be done or set before."""


@transaction.atomic
def give_version(
    *, reader: str, version_id: UUID, now: datetime, follows: bool = False
) -> ModelVersion:
    """Note that a reader has a version from now on, and return it; again, it changes nothing.

    ``follows``: the reader's key allows it to go on with the next version.

    Raises:
        VersionNotHere: there is no such version.
        VersionNotServed: it is not in use.
        ReaderRefused: the sentence names the version that the reader has had.
        TooEarly: the reader follows, and has the other still, or answers are too exact.
    """
    _one_at_a_time(reader)
    version = version_of(version_id)
    if is_held(version):
        raise VersionNotServed(HELD.format(version=version))
    if version.state != ModelVersion.State.ACTIVE:
        raise VersionNotServed(
            f"{version} is {version.get_state_display().lower()}; only active versions are served."
        )
    others, reason = _other_sides(reader, version)
    if others and not follows:
        raise ReaderRefused(reason)
    for one in others:
        _check_gone(one, version)
    reading, made = Reading.objects.get_or_create(
        reader=reader, version=version, defaults={"since": now, "followed": bool(others)}
    )
    if made and others:
        before = max(others, key=lambda one: one.since)
        data = {"version": str(version.pk), "before": str(before.version_id)}
        log.append(type="version_followed", case=None, now=now, data=data)
    if reading.gone_at is not None:
        Reading.objects.filter(pk=reading.pk).update(gone_at=None)
    return version


@transaction.atomic
def note_gone(*, reader: str, model_name: str, now: datetime) -> list[ModelVersion]:
    """Note that a reader has nothing left of versions of a model that are out of use.

    Return all of them that it ever had; again, it changes nothing. Raises VersionNotHere.
    """
    check_model(model_name)
    _one_at_a_time(reader)
    had = Reading.objects.filter(reader=reader, version__model_name=model_name)
    out = had.exclude(version__state=ModelVersion.State.ACTIVE).select_related("version")
    out.filter(gone_at=None).update(gone_at=now)
    return [one.version for one in out.order_by("since", "pk")]


def _other_sides(reader: str, version: ModelVersion) -> tuple[list[Reading], str]:
    """Return what the reader has had that differs by an erasure, and a sentence about one."""
    alike, replaced = stand_ins(), replacements()
    name, found, reason = alike.get(str(version), str(version)), [], ""
    for one in Reading.objects.filter(reader=reader).select_related("version"):
        had = alike.get(str(one.version), str(one.version))
        ruling = may_read(reader, name, [had], replaced)
        if not ruling.allowed:
            found.append(one)
            reason = reason or ruling.reason
    return found, reason


def _check_gone(one: Reading, version: ModelVersion) -> None:
    if one.version.state == ModelVersion.State.ACTIVE:
        raise TooEarly(f"{one.version} is in use; {version} is given once it is not any more.")
    if one.gone_at is None:
        raise TooEarly(
            f"{one.reader} has not said that nothing of {one.version} is left with it; {version} "
            "is given after that."
        )
    if settings.EXPUNGE_ROLL_OVER == "COARSE" and settings.EXPUNGE_OUTPUTS not in COARSE:
        raise TooEarly(
            f"EXPUNGE_OUTPUTS is {settings.EXPUNGE_OUTPUTS}, by which those who ask could tell "
            f"{version} from {one.version}; set 1, 2 or LABELS, or EXPUNGE_ROLL_OVER to ANY."
        )


def _one_at_a_time(reader: str) -> None:
    """Let nobody else be given a version as this reader until the transaction ends."""
    list(ApiKey.objects.select_for_update().filter(name=reader).order_by("pk"))
