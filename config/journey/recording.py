"""Scenarios of the record: dates that stay, letters that say enough, keys that go, the log."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import TYPE_CHECKING

from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audits import keys
from audits.core import record
from audits.models import CaseRetention, ErasureRequest, LetterTemplate, LogLeaf
from audits.services import retention
from config.journey.happened import Happened, Scenario
from config.journey.scene import events_of, files
from lineage.keys import KeyDestroyed, get

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.journey.scene import Scene

S = ErasureRequest.Status
LEAVES = "audits_logleaf"


def date_in_exports_stays(scene: Scene) -> Happened:
    """The due date is the same on the page, in the record, and in a record exported again."""
    case = ErasureRequest.objects.filter(status=S.SEALED, outcome="ERASED").earliest("sealed_at")
    due = f"{case.due_on:%Y-%m-%d}"
    exported = []
    for name in ("once", "again"):
        folder = files() / name
        call_command("export_report", case.reference, out=folder, stdout=StringIO())
        exported.append((folder / "record.json").read_bytes())
    page = scene.desks["officer"].get(f"/cases/{case.pk}/")
    said = [record.verify(one, vkey=keys.verifier_text()) for one in exported]
    counted = [_due_in(one.account.findings) == due for one in said]
    return Happened(
        ok=all(counted) and exported[0] == exported[1] and page.says(f"{case.due_on:%-d %B %Y}"),
        what=f"{case.reference} is due on {due} on its page and in the record, twice exported.",
        events=events_of(case, "request_received", "case_sealed"),
    )


def _due_in(findings: Mapping[str, object]) -> object:
    clock = findings["clock"]
    return clock.get("due") if isinstance(clock, dict) else None


def refusal_without_remedy(scene: Scene) -> Happened:
    """The text of a refusal cannot be published without where to complain and go to court."""
    path = "/letters/en/ANSWER_REFUSED/"
    before = LetterTemplate.objects.count()
    page = scene.desks["keeper"].get(path)
    blocks = dict.fromkeys(re.findall(r'name="(block_\w+)"', page.source), "Some words.")
    said = {**blocks, "subject": "Our decision", "action": "publish"}
    said["block_complaint"] = said["block_remedy"] = ""
    shown = scene.desks["keeper"].post(path, said)
    bad_request = 400
    return Happened(
        ok=shown.status == bad_request and LetterTemplate.objects.count() == before,
        what="The text of a refusal without the blocks on complaint and remedy was not published.",
    )


def identity_of_a_refused_case(scene: Scene) -> Happened:
    """A request that was turned down is forgotten in its time as well; the log still verifies."""
    case = scene.refused(scene.person(21))
    scene.until(lambda: _kept_until(case) is not None, "the retention of the case to be noted")
    last = _kept_until(case) or date.max
    after = datetime.combine(last, time(12), tzinfo=UTC) + timedelta(days=1)
    retention.destroy_due(now=after)
    case.refresh_from_db()
    try:
        get(f"case:{case.pk}")
    except KeyDestroyed:
        gone = True
    else:
        gone = False
    return Happened(
        ok=gone and not case.email and not _fsck(),
        what=f"{case.reference} was refused; the day after {last} its key is gone.",
        events=events_of(case, "request_refused", "case_key_destroyed"),
    )


def _kept_until(case: ErasureRequest) -> date | None:
    kept = CaseRetention.objects.filter(request=case).first()
    return kept.until if kept else None


def edited_log_row(scene: Scene) -> Happened:  # noqa: ARG001  (as every scenario)
    """Somebody with the database changes one event; the check names it."""
    leaf = LogLeaf.objects.order_by("index")[LogLeaf.objects.count() // 2]
    with _without_triggers():
        changed = bytes(leaf.data).replace(b'"system"', b'"subject"').replace(b"2026", b"2025")
        LogLeaf.objects.filter(pk=leaf.pk).update(data=changed)
        found = _fsck()
        LogLeaf.objects.filter(pk=leaf.pk).update(data=leaf.data)
    return Happened(
        ok=f"First bad index: {leaf.index}." in found and not _fsck(),
        what=f"Event {leaf.index} was edited in the database: {found[:90]}…",
        events=[leaf.index],
    )


def _fsck() -> str:
    """Return what the check of the log found; nothing when all is whole."""
    try:
        call_command("fsck", stdout=StringIO())
    except CommandError as error:
        return str(error)
    return ""


@contextmanager
def _without_triggers() -> Iterator[None]:
    """Do what an insider does first, and make it good again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s",
            [LEAVES],
        )
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {connection.ops.quote_name(name)}")
        try:
            yield
        finally:
            with transaction.atomic():
                for _, sql in triggers:
                    cursor.execute(sql)


SCENARIOS = (
    Scenario(name="the due date in exports stays", article="12(3)", play=date_in_exports_stays),
    Scenario(
        name="no refusal without complaint and remedy",
        article="12(4)",
        play=refusal_without_remedy,
    ),
    Scenario(
        name="a refused case is forgotten", article="5(1)(e)", play=identity_of_a_refused_case
    ),
    Scenario(name="an edited event is found", article="5(2)", play=edited_log_row),
)
