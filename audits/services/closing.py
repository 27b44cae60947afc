"""Close a case: destroy what was superseded, delete the data.

Every step may be taken again after a crash and finds what is done already.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

import rfc8785
from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from audits.models import ErasureRequest, PersonalDetails, ShadowResult
from audits.queries import case_file
from audits.queries.ends import exceptions_of
from audits.queries.exceptions import FOLLOW_UP, kept_among, kept_spaces, must_be_kept
from audits.queries.forget_sets import forget_set
from audits.queries.operator_cases import operator_origin_of
from audits.services import exceptions, forgetting, log, promises, stopping
from audits.services.score_salts import destroy_salts
from audits.services.transitions import move
from lineage.models import LineagePurge, ModelVersion
from lineage.queries.subjects import records_of
from lineage.services import purge, versions
from unlearning.models import UnlearningRun
from unlearning.services import canaries, histories, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lineage.models import DataSubject, OrdinalSpace, SnapshotSupersession
    from lineage.services.artefacts import DestroyedArtefact

R = UnlearningRun.Status


class DataRemains(Exception):
    """Reading back after the deletion still found something."""


def destroy_superseded(*, request: ErasureRequest, now: datetime) -> None:
    """Withdraw and destroy the versions that learned from the person, and rejected candidates.

    So too what served in the place of one of them until its result could. A version that was left
    alone, as the policy accepts what its training promised, stays, and so does an excepted one.

    What trainings left that never came to an end goes too, where they learned from the person or
    will not go on.

    Raises:
        DataRemains: a file is still there, since another version has the same bytes.
    """
    histories.discard_unfinished(records=forget_set(request.pk), now=now)
    settled = case_file.ordered_runs(request)
    kept_as_is = {run.target_id for run in settled if runs.left_alone(run)}
    kept_as_is |= set(exceptions_of(request))
    superseded = [run.target for run in settled if run.target_id not in kept_as_is]
    rejected = request.runs.filter(status=R.REJECTED).exclude(unlearned=None)
    superseded += [run.unlearned for run in rejected.select_related("unlearned") if run.unlearned]
    stood_in = request.runs.exclude(interim=None).select_related("interim")
    superseded += [run.interim for run in stood_in if run.interim]
    for version in superseded:
        destroy_version(version=version, case_id=request.pk, now=now)
    # Again: equal bytes of two superseded versions go with the second of them.
    for version in superseded:
        gone = destroy_version(version=version, case_id=request.pk, now=now)
        if kept := [one.sha256[:12] for one in gone if not one.file_removed]:
            raise DataRemains(
                f"{version} was destroyed, but a version that is in use has the same bytes "
                f"({', '.join(kept)}). Destroy or withdraw that one, then retry the case."
            )


def destroy_version(
    *, version: ModelVersion, case_id: uuid.UUID, now: datetime
) -> list[DestroyedArtefact]:
    """Withdraw a version, destroy its files, read back, and log each."""
    gone = versions.destroy_version(version=version, by_case=case_id, now=now)
    histories.forget(version=version)
    canaries.destroy_forsaken()
    with transaction.atomic():
        log.append(
            type="version_withdrawn",
            case=case_id,
            now=now,
            data={"version": str(version.pk)},
            once=f"withdrawn:{case_id}:{version.pk}",
        )
        for one in (one for one in gone if one.file_removed):
            log.append(
                type="artefact_destroyed",
                case=case_id,
                now=now,
                data={"artefact": str(one.id), "kind": one.kind, "digest": one.sha256},
                once=f"destroyed:{case_id}:{one.id}",
            )
    return gone


def purge_shadows(*, request: ErasureRequest, now: datetime) -> None:
    """Delete the scores of the shadow models and close their nodes.

    Raises:
        DataRemains: a score or a servable shadow version is still there.
    """
    rows = ShadowResult.objects.filter(run__in=request.runs.all())
    shadows = list(ModelVersion.objects.filter(pk__in=rows.values("version")))
    for shadow in shadows:
        versions.destroy_version(version=shadow, by_case=request.pk, now=now)
    with transaction.atomic():  # or a crash in between would leave no trace of the purge
        served = ErasureRequest.objects.filter(runs__shadow_results__in=rows).distinct()
        counts = [(case.pk, rows.filter(run__requests=case).count()) for case in served]
        destroy_salts(run_ids=set(rows.values_list("run", flat=True)))
        rows.delete()
        remaining = ShadowResult.objects.filter(run__in=request.runs.all()).count()
        if remaining:
            raise DataRemains(f"{remaining} scores of shadow models are still stored.")
        for case_id, count in counts:
            log.append(
                type="shadows_purged",
                case=case_id,
                now=now,
                data={"count": count, "remaining": remaining},
            )


def erase_data(*, request: ErasureRequest, now: datetime) -> None:
    """Delete rows and files of the forget set, read back, write the journal, shred the key.

    Raises:
        DataRemains: reading back found a row, a file or an identity; the case does not go on.
    """
    promises.note_others(request=request)
    exceptions.leave_to_others(request=request, now=now)
    erasable = _erasable(request)
    leaving = _leaving(request, erasable)
    for space, ordinals in erasable.items():
        digest = purge.write_journal(
            case_id=request.pk, space=space, ordinals=ordinals, now=now, person=leaving
        )
        receipt = purge.erase_records(
            case_id=request.pk,
            space=space,
            ordinals=ordinals,
            now=now,
            hard=settings.EXPUNGE_PURGE_MODE == purge.HARD,
        )
        if receipt.remaining:
            raise DataRemains(
                f"{receipt.remaining} of {receipt.records} records can still be found after the "
                "deletion. Check that the store is writable, then retry the case."
            )
        forgetting.forget_erased(space=space)
        _log_erasure(request, str(space.public_id), receipt, digest, now)
    if leaving:
        _journal_person(request, leaving, now)
        purge.shred_subject(subject=leaving, now=now, suppress=True)
        _log_shredded(request, leaving, now)


def _leaving(
    request: ErasureRequest, erasable: Mapping[OrdinalSpace, BitMap]
) -> DataSubject | None:
    """Return the person of a case who is forgotten with their records.

    Not who still has records under an exception, or that a follow-up does not ask about.
    """
    subject = request.subject
    if subject is None or kept_spaces(subject):
        return None
    held = records_of(subject).items() if request.channel == FOLLOW_UP else ()
    stays = any(ordinals - erasable.get(space, BitMap()) for space, ordinals in held)
    return None if stays else subject


def _erasable(request: ErasureRequest) -> dict[OrdinalSpace, BitMap]:
    """Return the forget set without what an exception keeps that came since."""
    held = forget_set(request.pk)
    kept = kept_among(request.subject, held) if request.subject else {}
    if operator_origin_of(request.pk):
        kept = {space: must_be_kept(space) for space in held}
    left = {space: ordinals - kept.get(space, BitMap()) for space, ordinals in held.items()}
    return {space: ordinals for space, ordinals in left.items() if ordinals}


@transaction.atomic
def _log_shredded(request: ErasureRequest, subject: DataSubject, now: datetime) -> None:
    log.append(
        type="subject_key_destroyed",
        case=request.pk,
        now=now,
        data={"subject": str(subject.pseudonym)},
        once=f"shredded:{request.pk}:{subject.pseudonym}",
    )


def _journal_person(request: ErasureRequest, subject: DataSubject, now: datetime) -> None:
    """Write a line about somebody who had no records: a backup may know who they were."""
    if not forget_set(request.pk):
        purge.write_journal(
            case_id=request.pk, space=None, ordinals=BitMap(), now=now, person=subject
        )


def _log_erasure(
    request: ErasureRequest, space: str, receipt: purge.Receipt, digest: str, now: datetime
) -> None:
    entry = uuid.uuid5(request.pk, space)
    with transaction.atomic():
        log.append(
            type="journal_written",
            case=request.pk,
            now=now,
            data={"entry": str(entry), "digest": digest},
            once=f"journal:{request.pk}:{space}",
        )
        log.append(
            type="records_erased",
            case=request.pk,
            now=now,
            data={
                "space": space,
                "records": receipt.records,
                "remaining": receipt.remaining,
            },
            once=f"erased:{request.pk}:{space}",
        )
        log_supersessions(case_id=request.pk, now=now)


def log_supersessions(*, now: datetime, case_id: uuid.UUID | None = None) -> None:
    """Log once, for a case or for all, which snapshots a hard purge superseded.

    From the stored rows, not from a receipt: a crash may have come between the two.
    """
    purges = LineagePurge.objects.filter(supersessions__isnull=False).distinct()
    for one in purges.filter(case_id=case_id) if case_id else purges:
        noted = list(one.supersessions.all())
        note = supersession_note(noted)
        log.append(
            type="snapshots_superseded",
            case=one.case_id,
            now=now,
            data={
                "space": str(one.space.public_id),
                "snapshots": len(noted),
                "note": note,
            },
            once=f"superseded:{one.case_id}:{one.space.public_id}:{note}",
        )


def supersession_note(noted: Iterable[SnapshotSupersession]) -> str:
    """Return the SHA-256 of what superseded what: canonical JSON of [snapshot, before, after]."""
    listed = sorted([str(one.snapshot_id), one.previous_digest, one.digest] for one in noted)
    return hashlib.sha256(rfc8785.dumps(listed)).hexdigest()


@transaction.atomic
def mark_erased(*, case_id: uuid.UUID, now: datetime) -> bool:
    """Say that data and models are done; False when it was said before."""
    moved = move(
        case_id=case_id,
        to=ErasureRequest.Status.ERASED,
        now=now,
        event=("case_erased", {}),
        fields={"erased_at": now, "outcome": ErasureRequest.Outcome.ERASED},
    )
    if moved:
        exceptions.release_left(case_id=case_id)
        stopping.end_erased(case_id=case_id, now=now)
    return moved


@transaction.atomic
def forget_address(*, case_id: uuid.UUID) -> None:
    """Delete the e-mail address of a case that is answered, and whatever else the person told."""
    ErasureRequest.objects.filter(pk=case_id).update(email="")
    PersonalDetails.objects.filter(request_id=case_id).delete()


def forget_unknown(*, request: ErasureRequest, now: datetime) -> None:
    """Forget the identifiers of somebody who asked to be erased and of whom nothing is held.

    Nothing remains by which they could be found; they are not barred from later imports either,
    as that would keep a trace of them. A restriction erases nobody.
    """
    subject = request.subject
    if request.outcome != ErasureRequest.Outcome.NO_DATA_FOUND or subject is None:
        return
    if request.kind == ErasureRequest.Kind.RESTRICTION or subject.records.exists():
        return
    _journal_person(request, subject, now)
    purge.shred_subject(subject=subject, now=now)
    _log_shredded(request, subject, now)
