"""What must hold once the cases of an installation are at an end, asked inside of it.

``python -m tests.faults.inspect`` prints one JSON object: a list of sentences for each kind of
damage, empty where there is none. The tables are compared with the log, the log with the tables.
It looks when its standard input says so, and until then imports what it needs.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from audits.models import ErasureRequest

_NEEDED = [f"audits.management.commands.{name}" for name in ("export_report", "fsck", "verify")]
# These happen once in the life of a case that is erased, whatever is tried again.
ONCE = (
    "request_received",
    "request_verified",
    "request_accepted",
    "decision_approved",
    "plan_drawn",
    "records_erased",
    "journal_written",
    "subject_key_destroyed",
    "shadows_purged",
    "case_erased",
    "case_sealed",
)


def damage() -> dict[str, list[str]]:
    """Return what is wrong, by kind."""
    from audits.models import ErasureRequest

    asked = ErasureRequest.objects.exclude(verified_at=None).order_by("received_at")
    cases = list(asked)
    leavings = _unowned()
    return {
        "unended": [f"{one.reference} is {one.status}" for one in cases if not _ended(one)],
        "twice": [line for one in cases for line in _twice(one)] + _versions() + _journal(),
        "unpaired": [line for one in cases for line in _unpaired(one)],
        "leavings": leavings,
        "orphans": _after_sweeping(),
        "missing": _missing(),
        "fsck": _command("fsck"),
        "unverified": [line for one in cases if _ended(one) for line in _unverified(one)],
        "copies": [line for one in cases for line in _copies(one)],
    }


def _ended(case: ErasureRequest) -> bool:
    return (case.status, case.outcome, case.email) == ("SEALED", "ERASED", "")


def _events(case: ErasureRequest) -> Counter[str]:
    from audits.models import LogLeaf

    return Counter(LogLeaf.objects.filter(case_id=case.pk).values_list("type", flat=True))


def _twice(case: ErasureRequest) -> list[str]:
    told = _events(case)
    return [f"{case.reference}: {one} {told[one]} times" for one in ONCE if told[one] > 1]


def _unpaired(case: ErasureRequest) -> list[str]:
    told, rows = _events(case), _rows(case)
    return [
        f"{case.reference}: {told[kind]} events {kind}, and the tables have {count}"
        for kind, count in rows.items()
        if told[kind] != count
    ]


def _rows(case: ErasureRequest) -> dict[str, int]:
    """Return how many events of each type the tables of a case speak of."""
    from audits.models import ComplianceRecord, Decision, Letter, Verdict
    from lineage.models import Artefact, LineagePurge, ModelVersion

    mine = ModelVersion.objects.filter(invalidated_by=case.pk, kind=ModelVersion.Kind.MODEL)
    destroyed = Artefact.objects.filter(version__in=mine).exclude(destroyed_at=None)
    runs = case.runs.all()
    purges = LineagePurge.objects.filter(case_id=case.pk).count()
    return {
        "request_received": 1,
        "request_verified": int(case.verified_at is not None),
        "request_accepted": int(case.accepted_at is not None),
        "decision_approved": Decision.objects.filter(request=case, state="APPROVED").count(),
        "plan_drawn": int(bool(case.plan_digest)),
        "run_planned": runs.filter(escalated_from=None).count(),
        "run_escalated": runs.exclude(escalated_from=None).count(),
        "verdict_reached": Verdict.objects.filter(run__in=runs).count(),
        "version_released": runs.filter(status="CLEARED", unlearned__state="ACTIVE").count()
        or runs.filter(status="CLEARED").exclude(unlearned=None).count(),
        "version_withdrawn": mine.count(),
        "artefact_destroyed": destroyed.count(),
        "records_erased": purges,
        "journal_written": purges,
        "subject_key_destroyed": int(bool(case.subject and case.subject.erased_at)),
        "case_erased": int(case.erased_at is not None),
        "case_sealed": ComplianceRecord.objects.filter(request=case).count(),
        "letter_sent": Letter.objects.filter(request=case, state="SENT").count(),
    }


def _versions() -> list[str]:
    """A version for each run and no more; one in use for each model."""
    from lineage.models import ModelVersion
    from unlearning.models import UnlearningRun

    made = set(UnlearningRun.objects.exclude(unlearned=None).values_list("unlearned", flat=True))
    models = ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL).exclude(version=1)
    twice = [f"{one} was made, and no run has it" for one in models if one.pk not in made]
    active = Counter(
        ModelVersion.objects.filter(kind="MODEL", state="ACTIVE").values_list(
            "model_name", flat=True
        )
    )
    return twice + [f"{name}: {count} in use" for name, count in active.items() if count != 1]


def _journal() -> list[str]:
    from lineage.services.journal import read_journal

    lines = Counter((one.case_id, one.space_id) for one in read_journal())
    return [
        f"{case}: {count} lines of the journal" for (case, _), count in lines.items() if count > 1
    ]


def _copies(case: ErasureRequest) -> list[str]:
    """Letters that left more than once: whoever sent them died before saying so."""
    from django.conf import settings

    from audits.models import Letter

    host = urlsplit(settings.SITE_URL).hostname
    letters = {
        f"<{pk}@{host}>" for pk in Letter.objects.filter(request=case).values_list("pk", flat=True)
    }
    sent: Counter[str] = Counter()
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.log"):
        for line in path.read_text().splitlines():
            if line.startswith("Message-ID: "):
                sent[line.removeprefix("Message-ID: ").strip()] += 1
    return [
        f"{case.reference}: {count} copies"
        for one, count in sent.items()
        if one in letters and count > 1
    ]


def _unowned() -> list[str]:
    """Return the files of the store that no living row speaks of."""
    from lineage import artifacts
    from lineage.models import Artefact, RecordContent

    owned = set(Artefact.objects.filter(destroyed_at=None).values_list("uri", flat=True))
    owned |= set(RecordContent.objects.values_list("uri", flat=True))
    folders = (artifacts.OBJECTS, artifacts.RECORDS, artifacts.STAGING)
    return [uri for one in folders for uri, _ in artifacts.listing(one) if uri not in owned]


def _after_sweeping() -> list[str]:
    """Return what the product's own sweep of the store leaves, once files have come of age."""
    from datetime import timedelta

    from django.utils import timezone

    from lineage.services.sweeping import sweep_store

    sweep_store(now=timezone.now() + timedelta(seconds=5), grace=timedelta(0))
    return _unowned()


def _missing() -> list[str]:
    from lineage import artifacts
    from lineage.models import Artefact, RecordContent

    uris = set(Artefact.objects.filter(destroyed_at=None).values_list("uri", flat=True))
    uris |= set(RecordContent.objects.values_list("uri", flat=True))
    return sorted(uri for uri in uris if not artifacts.exists(uri))


def _command(*words: Any, **options: Any) -> list[str]:  # noqa: ANN401  (call_command's)
    from django.core.management import CommandError, call_command

    try:
        call_command(*words, stdout=StringIO(), **options)
    except CommandError as error:
        return [f"{words[0]}: {error}"]
    return []


def _unverified(case: ErasureRequest) -> list[str]:
    folder = Path(tempfile.mkdtemp()) / "report"
    try:
        return _command("export_report", case.reference, out=folder) or _command("verify", folder)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


if __name__ == "__main__":
    import django

    django.setup()
    for name in _NEEDED:
        import_module(name)
    sys.stdin.readline()
    print(json.dumps(damage()))
