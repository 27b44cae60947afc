"""Keep a supplier's evidence about a model from outside (EDPB Opinion 28/2024, 126-131)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import SupplierEvidence
from audits.queries.supplier import is_from_outside
from audits.services import log
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.core.worded import not_among, worded, worded_of
from lineage.models import Artefact, ModelVersion
from lineage.services.artefacts import store_artefact

if TYPE_CHECKING:
    from datetime import date, datetime

    from django.contrib.auth.models import User

LEAST_STATEMENT = 20
MOST_STATEMENT = 2000
MOST_BYTES = 20 * 1024 * 1024


class EvidenceRefused(ValueError):
    """The document is not kept; the sentence says why."""


def add_evidence(  # noqa: PLR0913  (the fields of a document)
    *,
    version: ModelVersion,
    kind: str,
    supplier: str,
    dated: date,
    statement: str,
    data: bytes,
    user: User | None,
    now: datetime,
) -> SupplierEvidence:
    """Store a document about a version from outside, with what it says, and log its digest.

    ``user``: none for whoever has a shell.

    Raises:
        NotAllowed: the user may not decide about models.
        EvidenceRefused: the version was trained here, or a field cannot be right.
        StoreFull, StoreNotWritable: nothing was stored.
    """
    if user is not None:
        require(user, Right.OPERATE)
    supplier, statement = supplier.strip(), statement.strip()
    _check(version, kind, supplier, statement, data)
    if dated > now.date():
        raise EvidenceRefused(
            worded_of(
                "dated",
                "It is %(dated)s, a day to come; %(now)s is today.",
                dated=dated,
                now=now.date(),
            )
        )
    file = store_artefact(kind=Artefact.Kind.SUPPLIER, data=data, now=now)
    with transaction.atomic():
        made = SupplierEvidence.objects.create(
            version=version,
            kind=kind,
            supplier=supplier,
            dated=dated,
            statement=statement,
            file=file,
            added_by=user,
            added_at=now,
        )
        log.append(
            type="supplier_evidence_added",
            case=None,
            now=now,
            actor=actor_of(user) if user else log.SYSTEM,
            data={"version": str(version.pk), "kind": kind, "digest": file.sha256},
        )
    return made


def _check(version: ModelVersion, kind: str, supplier: str, statement: str, data: bytes) -> None:
    if version.kind == ModelVersion.Kind.SHADOW or not is_from_outside(version):
        raise EvidenceRefused(
            worded(
                "%(version)s was trained with its data captured; a supplier's evidence is "
                "for models of which it is not known here on what they were trained.",
                version=version,
            )
        )
    if kind not in SupplierEvidence.Kind.values:
        allowed = ", ".join(SupplierEvidence.Kind.values)
        raise EvidenceRefused(not_among("kind", kind, allowed))
    if not 0 < len(supplier) <= 200:  # noqa: PLR2004  (as the column)
        raise EvidenceRefused(
            worded_of(
                "supplier",
                "It has %(count)s characters; allowed are 1 to 200.",
                count=len(supplier),
            )
        )
    if not LEAST_STATEMENT <= len(statement) <= MOST_STATEMENT:
        raise EvidenceRefused(
            worded_of(
                "statement",
                "It has %(count)s characters; allowed are %(least)s to %(most)s: say what "
                "the document says.",
                count=len(statement),
                least=LEAST_STATEMENT,
                most=MOST_STATEMENT,
            )
        )
    if not 0 < len(data) <= MOST_BYTES:
        raise EvidenceRefused(
            worded(
                "The file has %(count)s bytes; allowed are 1 to %(most)s.",
                count=len(data),
                most=MOST_BYTES,
            )
        )
