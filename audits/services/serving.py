"""Give versions to readers, none of whom has two that differ by an erasure.

A reader is everybody who uses API keys of one name: a new key of the same name is the same
reader. What it was given is never forgotten, since a copy may have been kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import Reading
from audits.queries.releases import is_held, replacements, stand_ins
from audits.queries.serving import HELD, version_of
from lineage.models import ApiKey, ModelVersion
from unlearning.core.release.readers import may_read

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class VersionNotServed(ValueError):
    """The version is not in use."""


class ReaderRefused(PermissionError):
    """The reader has had a version that differs from this one by an erasure."""


@transaction.atomic
def give_version(*, reader: str, version_id: UUID, now: datetime) -> ModelVersion:
    """Note that a reader has a version from now on, and return it; again, it changes nothing.

    Raises:
        VersionNotHere: there is no such version.
        VersionNotServed: it is not in use.
        ReaderRefused: the sentence names the version that the reader has had.
    """
    _one_at_a_time(reader)
    version = version_of(version_id)
    if is_held(version):
        raise VersionNotServed(HELD.format(version=version))
    if version.state != ModelVersion.State.ACTIVE:
        raise VersionNotServed(
            f"{version} is {version.get_state_display().lower()}; only active versions are served."
        )
    readings = Reading.objects.filter(reader=reader).select_related("version")
    alike = stand_ins()
    had = [alike.get(str(one.version), str(one.version)) for one in readings]
    ruling = may_read(reader, alike.get(str(version), str(version)), had, replacements())
    if not ruling.allowed:
        raise ReaderRefused(ruling.reason)
    Reading.objects.get_or_create(reader=reader, version=version, defaults={"since": now})
    return version


def _one_at_a_time(reader: str) -> None:
    """Let nobody else be given a version as this reader until the transaction ends."""
    list(ApiKey.objects.select_for_update().filter(name=reader).order_by("pk"))
