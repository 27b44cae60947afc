"""After the close lineage finds tombstones only, and the record stands alone (battery, 17)."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyroaring import BitMap

from audits import keys
from audits.core.contrast import recompute
from audits.core.kept import Kept
from audits.core.policy import EvidencePolicy
from audits.core.record import RecordRejected, verify
from audits.core.verdict import Outcome
from audits.models import DuplicateFinding, ErasureRequest, ShadowResult
from audits.queries.footprint import footprint
from audits.services import closing, log
from audits.workflow import tasks
from lineage.models import DataRecord, Job, LabelConflict, ModelVersion, Role
from lineage.services import versions
from lineage.services.runs import Input, RunPlan, begin_run, finish_derivation
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, runs

pytestmark = pytest.mark.django_db


def left(case):
    return footprint(case, now=timezone.now()).left


def printed(case):
    out = StringIO()
    call_command("footprint", case.reference, stdout=out)
    return out.getvalue()


def findings(case):
    envelope = json.loads(bytes(case.record.data))["envelope"]
    return json.loads(base64.b64decode(envelope["payload"]))["predicate"]["findings"]


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def judged(world, base, approximate, monkeypatch):
    """A case that is to be erased next, after made-up shadow models and a verdict."""
    make_up(monkeypatch, [Outcome.PASS_LEAK], nodes=True)
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    return world.current(case)


@pytest.fixture
def sealed(world, judged):
    return world.finish(judged)


# --- check 17 of the battery ------------------------------------------------------------------


def test_a_closed_case_leaves_tombstones_its_verdict_and_a_seal_that_breaks(
    world, base, approximate
):
    """Real shadow models of a real method, from the request to the sealed record."""
    case = world.erased()
    assert case.status == "SEALED"
    found = footprint(case, now=timezone.now())
    assert (found.left, found.waiting) == ([], [])
    assert found.destroyed == {"models": 1, "shadows": 12}
    assert DataRecord.objects.filter(ordinal__in=[*world.owned(ADA)], subject=None).count() == 6
    check_verdicts(case)
    check_seal(bytes(case.record.data))
    assert findings(case)["footprint"] == found.as_dict()


def check_verdicts(case):
    """From the record's bytes alone."""
    policy = EvidencePolicy.from_dict(findings(case)["policy"])
    judged = [one for one in findings(case)["evidence"] if one["kind"] == "U_LIRA"]
    assert judged
    for one in judged:
        again = recompute(Kept.from_dict(one["payload"]["kept"]), policy)
        assert (again.outcome.value, list(again.reasons)) == (one["verdict"], one["reasons"])


def check_seal(data):
    vkey = keys.verifier_text()
    verify(data, vkey=vkey)

    @examples(max_examples=60, deadline=None, database=None)
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    def any_edit_breaks_it(place, change):
        edited = bytearray(data)
        edited[place] ^= change
        with pytest.raises(RecordRejected):
            verify(bytes(edited), vkey=vkey)
        with pytest.raises(RecordRejected):
            verify(data[:place] + data[place + 1 :], vkey=vkey)

    any_edit_breaks_it()


# --- what the command and fsck say ------------------------------------------------------------


def test_an_open_case_says_that_it_is_not_closed_and_what_there_is(judged):
    with pytest.raises(CommandError) as error:
        printed(judged)
    assert error.value.returncode == 1
    assert str(error.value).splitlines() == [
        "Left:",
        "- 6 record(s) still have an identity.",
        "- 6 record(s) still have a content.",
        "- 12 shadow model(s) with scores are not destroyed.",
        "- base v1 learned from them and is not destroyed (active).",
        "- 12 row(s) of scores of shadow models are still stored.",
    ]


def test_a_closed_case_is_printed_and_fsck_agrees(sealed):
    assert printed(sealed).splitlines() == [
        f"Case {sealed.reference}: sealed.",
        "Records: 6. 2 snapshot(s) name them.",
        "Learned from them and destroyed: 1 model version(s), 12 shadow model(s) with their "
        "scores.",
        "Made from one of these by taking the records out: 1 version(s).",
        "Kept: 3 piece(s) of evidence, 1 verdict(s), 3 picture(s). They name no record.",
        "Left: nothing.",
    ]
    out = StringIO()
    call_command("fsck", stdout=out)
    assert "Nothing is left of the records of 1 closed cases." in out.getvalue()


def test_a_case_without_records_and_one_that_is_not_there(world):
    case = world.ask("nobody@example.org")
    assert "No record belongs to it, so nothing can derive from one." in printed(case)
    with pytest.raises(CommandError, match="There is no case 'ER-0000-0000'"):
        call_command("footprint", "ER-0000-0000")


def revive(kind):
    """Bring a node back, as a process that dies between two writes might leave it."""
    pk = ModelVersion.objects.filter(kind=kind, state="DESTROYED").values_list("pk", flat=True)[0]
    ModelVersion.objects.filter(pk=pk).update(state="WITHDRAWN")


def pair(case):
    return DuplicateFinding.objects.create(
        request=case,
        space=runs(case)[0].space,
        forget_ordinal=1,
        other_ordinal=7,
        kind="NEAR",
        distance=0.01,
    )


def conflict(case):
    return LabelConflict.objects.create(
        space=runs(case)[0].space, ordinal=9, other_ordinal=1, distance=0, found_at=timezone.now()
    )


LEAVINGS = {
    "1 conflict(s) of their targets with others' are still stored.": conflict,
    "1 shadow model(s) with scores are not destroyed.": lambda _: revive("SHADOW"),
    "base v1 learned from them and is not destroyed (withdrawn).": lambda _: revive("MODEL"),
    "1 row(s) of scores of shadow models are still stored.": lambda case: (
        ShadowResult.objects.create(run=runs(case)[0], index=0, row={}, created_at=timezone.now())
    ),
    "1 file(s) of destroyed versions are still stored.": lambda case: runs(case)[
        0
    ].target.artefacts.update(destroyed_at=None),
    "1 pair(s) of one of them and a record that is like it.": pair,
}


def test_fsck_names_whatever_is_left(sealed):
    for sentence, leave in LEAVINGS.items():
        point = transaction.savepoint()
        leave(sealed)
        assert left(sealed) == [sentence]
        with pytest.raises(CommandError) as error:
            call_command("fsck")
        assert str(error.value).endswith(f"{sealed.reference}: {sentence}")
        transaction.savepoint_rollback(point)
    assert left(sealed) == []


def test_after_a_hard_purge_the_destroyed_are_still_found(world, base, settings):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    found = footprint(world.erased(), now=timezone.now())
    assert (found.left, found.destroyed["models"]) == ([], 1)


def test_which_records_were_alike_goes_with_the_seal(world, judged):
    pair(judged)
    case = world.finish(judged)
    row = DuplicateFinding.objects.get()
    assert (row.forget_ordinal, row.other_ordinal, row.distance) == (-1, -1, 0.01)
    assert findings(case)["duplicates"] == [{"kind": "NEAR", "distance": 0.01, "decision": ""}]
    assert left(case) == []


def test_data_derived_as_a_whole_is_left_until_it_is_erased_itself(world, base):
    made = begin_run(
        plan=RunPlan(activity="SYNTHESISE", inputs=(Input(source=base, role=Role.GENERATOR),)),
        now=timezone.now(),
    )
    lines = [("nobody@example.org", worlds.digits()[place]) for place in (70, 71)]
    into = worlds.imported("synthetic", lines)
    synthetic = finish_derivation(
        run=made, dataset=into, ordinals=BitMap([0, 1]), now=timezone.now()
    )
    case = world.erased()
    assert case.status == "SEALED"
    sentence = f"2 record(s) of {synthetic} were derived from them as a whole."
    assert left(case) == findings(case)["footprint"]["left"] == [sentence]
    with pytest.raises(CommandError, match="Closed cases left something behind"):
        call_command("fsck")
    assert world.erased("nobody@example.org").status == "SEALED"
    assert left(case) == []


# --- several cases, crashes -------------------------------------------------------------------


def test_shadow_models_of_an_open_case_are_waited_for_until_they_expire(world, judged):
    """Bert is in what Ada's shadow models were trained on; nothing of his is stored there."""
    bert = world.accepted(BERT)
    closing.erase_data(request=world.current(bert), now=timezone.now())
    ErasureRequest.objects.filter(pk=bert.pk).update(status="ERASED", outcome="ERASED")
    found = footprint(world.current(bert), now=timezone.now())
    assert [one.split(" learned")[0] for one in found.waiting] == [
        "12 shadow model(s) of audits in other open cases",
        "base v1",
    ]
    after = footprint(world.current(bert), now=timezone.now() + timedelta(days=61))
    assert "12 shadow model(s) with scores are not destroyed." in after.left


@pytest.mark.parametrize(
    ("module", "name", "calls"), [(versions, "destroy_version", 4), (log, "append", 1)]
)
def test_a_purge_that_dies_between_its_steps_is_found_and_finished(
    world, judged, monkeypatch, module, name, calls
):
    with monkeypatch.context() as dying:
        dying.setattr(module, name, dies_at(getattr(module, name), calls))
        with pytest.raises(KeyboardInterrupt):
            closing.purge_shadows(request=judged, now=timezone.now())
    destroyed = ModelVersion.objects.filter(kind="SHADOW", state="DESTROYED").count()
    assert destroyed == (3 if name == "destroy_version" else 12)
    ErasureRequest.objects.filter(pk=judged.pk).update(status="ERASED", outcome="ERASED")
    with pytest.raises(CommandError, match=r"12 row\(s\) of scores of shadow models are still"):
        call_command("fsck")
    ErasureRequest.objects.filter(pk=judged.pk).update(status=judged.status, outcome="")
    with world.commit(execute=True):
        tasks.sweep()
    case = world.finish(judged)
    assert (case.status, left(case)) == ("SEALED", [])


def dies_at(real, calls):
    """The same function, in a process that dies when it is called so many times."""
    counted = itertools.count(1)

    def call(**given: object):
        if next(counted) == calls:
            raise KeyboardInterrupt
        return real(**given)

    return call
