"""Seal a case: sign its account, log the seal, sign a checkpoint, keep the record's bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import rfc8785
from django.db import transaction

from audits import keys
from audits.core import record
from audits.core.account import Account, LoggedEvent
from audits.core.events import parse
from audits.core.statement import Subject
from audits.models import ComplianceRecord, DuplicateFinding, ErasureRequest, LogLeaf
from audits.queries import case_file, log_tree
from audits.queries.answers import answers_of
from audits.queries.ends import ends_record
from audits.queries.footprint import footprint
from audits.queries.supplier import supplier_record
from audits.queries.told import told_record
from audits.services import log
from audits.services.job_lines import forget_lines_of
from audits.services.transitions import MoveNotAllowed, move
from lineage.core import spans
from lineage.core.worded import worded

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

S = ErasureRequest.Status


@spans.named("seal")
@transaction.atomic
def seal_case(*, case_id: UUID, now: datetime) -> ComplianceRecord:
    """Seal a case that has an outcome, once; return its record.

    State, event, checkpoint and record become visible together or not at all.

    Raises:
        MoveNotAllowed: the case is not at an end.
    """
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    known = ComplianceRecord.objects.filter(request=request).first()
    if known:
        return known
    if not request.outcome:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s and has no outcome to seal yet.",
                case=request.reference,
                state=request.status,
            )
        )
    key = keys.evidence_key()
    account = _account(request, now)
    envelope = record.sign_account(account, key)
    seal = record.draft_seal(envelope, account, at=now, actor=log.SYSTEM)
    move(
        case_id=case_id,
        to=S.SEALED,
        now=now,
        event=("case_sealed", dict(seal.data)),
        fields={"sealed_at": now},
    )
    leaf = request_leaf(case_id)
    note = log.checkpoint(now=now)
    places = [leaf.index, *(one.index for one in account.events)]
    data = record.assemble(
        envelope=envelope,
        seal=leaf,
        paths=log_tree.inclusion_paths(places, note.size),
        checkpoint_note=note.note,
        vkey=keys.verifier_text(),
    )
    _forget_pairs(request)
    forget_lines_of(request)
    return ComplianceRecord.objects.create(
        request=request,
        outcome=account.outcome,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        seal_index=leaf.index,
        created_at=now,
    )


def _forget_pairs(request: ErasureRequest) -> None:
    """Forget which two records were alike; how alike, and what was decided, stays."""
    for place, row in enumerate(request.duplicates.filter(forget_ordinal__gte=0).order_by("pk")):
        known = {"forget_ordinal": -1 - place, "other_ordinal": -1}
        DuplicateFinding.objects.filter(pk=row.pk).update(**known)


def request_leaf(case_id: UUID) -> LoggedEvent:
    """Return the newest event of a case with its place."""
    leaf = LogLeaf.objects.filter(case_id=case_id).latest("index")
    return LoggedEvent(index=leaf.index, event=parse(bytes(leaf.data)))


def _account(request: ErasureRequest, now: datetime) -> Account:
    left = footprint(request, now=now).as_dict()
    beside = {**ends_record(request), **told_record(request), **supplier_record(request)}
    findings = {**case_file.findings(request), "footprint": left, **beside}
    findings["answers"] = answers_of(request, findings, now=now)
    subjects = [
        Subject(name=f"model:{row[version]}", sha256=row[digest])
        for row in findings["runs"]
        for version, digest in (("version", "version_digest"), ("unlearned", "unlearned_digest"))
        if row[digest]
    ]
    # in-toto wants a subject even where no model was touched: the plan itself.
    plan = Subject(
        name=f"case:{request.pk}", sha256=hashlib.sha256(rfc8785.dumps(request.plan)).hexdigest()
    )
    return Account(
        case=str(request.pk),
        outcome=request.outcome,
        subjects=tuple(dict.fromkeys(subjects)) or (plan,),
        findings=findings,
        events=case_file.case_events(request),
    )
