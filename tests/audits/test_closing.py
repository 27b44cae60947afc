"""The end of a case: every step may be taken again, and nothing is left."""

from __future__ import annotations

import pytest

from audits import workflow
from audits.core.verdict import Outcome
from audits.execution import erasing
from audits.models import ComplianceRecord, ErasureRequest, LogLeaf, ShadowResult
from audits.services import closing, records, releases
from audits.services.closing import DataRemains
from audits.services.transitions import MoveNotAllowed
from lineage import artifacts, keys
from lineage.models import Artefact, DataRecord, Job, ModelVersion, RecordContent
from lineage.services import purge, restriction, versions
from lineage.services.journal import read_journal
from tests.audits import world as worlds
from tests.audits.rulings import make_up
from tests.audits.world import ADA, BERT, CLEO, DORA, NOW, STRANGERS, events, logged, runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    """A case whose one version was retrained, and whose erasure is the next thing to do."""
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    return before_erasing(world)


@pytest.fixture
def plain(world):
    """The case of somebody whose records trained no model, just before the erasure."""
    return before_erasing(world, STRANGERS[0])


@pytest.fixture
def audited(world, approximate, monkeypatch):
    """The same after shadow models and a verdict that was not a pass."""
    make_up(monkeypatch, [Outcome.FAIL], nodes=True)
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    return before_erasing(world)


def before_erasing(world, email=ADA):
    case = world.accepted(email)
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    return world.current(case)


def erase(case):
    erasing.erase_case(Job.objects.get(kind="ERASE", payload_id=case.pk))
    case.refresh_from_db()
    return case


STEPS = [
    "release_results",
    "destroy_superseded",
    "purge_shadows",
    "erase_data",
    "mark_erased",
]


def test_a_crash_before_and_after_every_step_is_made_good_by_the_next_try(audited, monkeypatch):
    for step in STEPS:
        for done_before in (False, True):
            with monkeypatch.context() as broken:
                crash(broken, step, done_before=done_before)
                with pytest.raises(KeyboardInterrupt):
                    erase(audited)
        assert "case_erased" not in events(audited) or step == "mark_erased"
    check_end(audited)
    check_end(erase(audited))


def crash(monkeypatch, step, *, done_before):
    where = releases if step == "release_results" else closing
    real = getattr(where, step)

    def stumble(**arguments: object):
        if done_before:
            real(**arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(where, step, stumble)


def check_end(case):
    case.refresh_from_db()
    assert (case.status, case.outcome, bool(case.erased_at)) == ("ERASED", "ERASED", True)
    states = ModelVersion.objects.filter(kind="MODEL").order_by("version")
    assert [one.state for one in states] == ["DESTROYED", "DESTROYED", "ACTIVE"]
    assert {one.state for one in ModelVersion.objects.filter(kind="SHADOW")} == {"DESTROYED"}
    assert not ShadowResult.objects.exists()
    assert not RecordContent.objects.filter(ordinal__lt=6).exists()
    assert DataRecord.objects.filter(ordinal__lt=6, subject=None).count() == 6
    assert len(read_journal()) == 1
    once = ("shadows_purged", "journal_written", "records_erased", "subject_key_destroyed")
    assert [events(case).count(kind) for kind in (*once, "case_erased")] == [1] * 5
    assert logged(case, "shadows_purged") == [{"count": 12, "remaining": 0}]
    destroyed = [row["artefact"] for row in logged(case, "artefact_destroyed")]
    assert len(destroyed) == len(set(destroyed)) == 2


def test_the_key_of_the_person_is_gone_and_they_are_not_imported_again(plain):
    name = f"subject:{plain.subject.pseudonym}"
    assert keys.get(name)
    erase(plain)
    with pytest.raises(keys.KeyDestroyed):
        keys.get(name)
    with pytest.raises(AssertionError):  # the import leaves the row out
        worlds.imported("digits", [(STRANGERS[0], worlds.digits()[90])])
    assert worlds.subject_of(STRANGERS[0]) is None


def test_the_journal_says_when_the_records_were_erased_and_not_when_they_were_asked_for(plain):
    ErasureRequest.objects.filter(pk=plain.pk).update(received_at=NOW)
    erase(plain)
    (entry,) = read_journal()
    assert entry.erased_at > NOW.isoformat()
    assert entry.case_id == str(plain.pk)
    assert logged(plain, "journal_written")[0]["digest"] == entry.sha256


def test_a_file_that_stays_stops_the_case_with_a_sentence_and_a_retry_finishes_it(
    world, plain, monkeypatch
):
    with monkeypatch.context() as broken:
        broken.setattr(purge, "_deleted", lambda _uris: False)
        world.work()
    case = world.current(plain)
    assert (case.status, case.failure_code) == ("FAILED", "DataRemains")
    assert case.failure == (
        "9 of 9 records can still be found after the deletion. Check that the store is "
        "writable, then retry the case."
    )
    assert "records_erased" not in events(case)
    world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert len(read_journal()) == 1


def test_scores_that_stay_are_an_error(case, monkeypatch):
    run = runs(case)[0]
    ShadowResult.objects.create(run=run, index=0, row={}, created_at=NOW)
    monkeypatch.setattr("django.db.models.query.QuerySet.delete", lambda _self: (0, {}))
    with pytest.raises(DataRemains, match="1 scores of shadow models are still stored"):
        closing.purge_shadows(request=case, now=NOW)
    assert ShadowResult.objects.count() == 1
    assert "shadows_purged" not in events(case)


def test_a_version_that_learned_from_somebody_restricted_meanwhile_is_not_released(
    world, case, caplog
):
    restriction.restrict(
        case_id=case.subject_id,
        space=world.dataset.space,
        ordinals=world.owned(BERT),
        now=NOW,
    )
    case = erase(case)
    result = runs(case)[-1].unlearned
    assert result
    assert (case.status, result.state) == ("ERASED", "CANDIDATE")
    assert "was trained on 6 records that are restricted or erased" in caplog.text


def test_what_was_destroyed_is_gone_from_the_store(case):
    weights = Artefact.objects.filter(kind="WEIGHTS", version=runs(case)[0].target).get()
    assert artifacts.exists(weights.uri)
    erase(case)
    assert not artifacts.exists(weights.uri)
    row = next(
        row for row in logged(case, "artefact_destroyed") if row["artefact"] == str(weights.pk)
    )
    assert row == {"artefact": str(weights.pk), "kind": "WEIGHTS", "digest": weights.sha256}


def test_a_version_that_was_destroyed_before_is_logged_for_this_case_too(case):
    target = runs(case)[0].target
    versions.destroy_version(version=target, by_case=case.subject_id, now=NOW)
    erase(case)
    assert str(target.pk) in {row["version"] for row in logged(case, "version_withdrawn")}


# --- the seal ---------------------------------------------------------------------------------


def test_a_case_is_sealed_once(plain):
    erase(plain)
    first = records.seal_case(case_id=plain.pk, now=NOW)
    assert records.seal_case(case_id=plain.pk, now=NOW) == first
    assert ComplianceRecord.objects.count() == 1
    assert events(plain).count("case_sealed") == 1


def test_a_case_without_an_outcome_cannot_be_sealed(plain):
    with pytest.raises(MoveNotAllowed, match="and has no outcome to seal yet"):
        records.seal_case(case_id=plain.pk, now=NOW)
    assert not ComplianceRecord.objects.exists()


def test_a_seal_that_fails_leaves_no_trace(plain, monkeypatch):
    erase(plain)
    leaves = LogLeaf.objects.count()
    monkeypatch.setattr("audits.services.records.record.assemble", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        records.seal_case(case_id=plain.pk, now=NOW)
    plain.refresh_from_db()
    assert (plain.status, LogLeaf.objects.count()) == ("ERASED", leaves)


def test_the_record_names_each_model_by_the_digest_of_its_weights(case):
    erase(case)
    (run,) = runs(case)
    assert run.unlearned
    weights = {one.artefacts.get().sha256 for one in (run.target, run.unlearned)}
    subjects = {one.sha256 for one in records._account(case, NOW).subjects}
    assert subjects == weights


def test_an_address_is_forgotten_once_the_answer_is_sent(world, plain):
    world.work()
    assert world.current(plain).email == ""
