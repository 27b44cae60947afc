"""What serves until a result may passes the release gate first, and the log says so."""

from __future__ import annotations

import pytest
import torch
from django.urls import reverse
from django.utils import timezone
from torch.utils.data import TensorDataset

from audits.core.quality import Paired
from audits.execution import gating
from audits.queries import case_file, limit_sentences, limits
from audits.queries.releases import held_stand_ins
from audits.queries.serving import VersionNotHere, newest_version
from audits.services import log
from audits.services.serving import VersionNotServed, give_version
from lineage.models import Job, ModelVersion, Run
from lineage.services import jobs
from tests.audits.world import ADA, BERT, CLEO, DORA, LEASE, logged, runs
from tests.unlearning.shards import two_people_a_shard
from unlearning.core.release.ruling import Ruling
from unlearning.core.sharding.rebuilding import RolledBack, ShardRewind
from unlearning.core.sharding.vote import SoftVote
from unlearning.execution import running
from unlearning.models import UnlearningRun
from unlearning.queries import histories as kept

pytestmark = pytest.mark.django_db

PEOPLE = (ADA, BERT, CLEO, DORA)
LEARNT = {
    "hidden": 16,
    "epochs": 40,  # good enough for what gets worse to fall by more than chance
    "learning_rate": 0.02,
    "targets": ["0", "1", "2"],
    "batch_size": 4,
}


@pytest.fixture(autouse=True)
def _sharded(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 0, False


@pytest.fixture(autouse=True)
def _narrow(world, settings):
    settings.EXPUNGE_POLICY = {**settings.EXPUNGE_POLICY, "margin_utility": 0.02}


@pytest.fixture
def base(world, monkeypatch):
    return two_people_a_shard(monkeypatch, world, LEARNT)


@pytest.fixture
def person(world, base):
    """Somebody in the last slice of the first shard."""
    slices = kept.parts_of(base)[0][0].slices
    return next(one for one in PEOPLE if world.owned(one) == slices[1])


@pytest.fixture
def back(monkeypatch):
    """Say what a shard that is rolled back gives every input, as logits."""

    def to(*logits: float):
        def rolled(_rewind, _retain, recipe, _session):
            model = recipe.build().eval()
            last = [one for one in model.modules() if isinstance(one, torch.nn.Linear)][-1]
            last.weight.data.zero_()
            last.bias.data = torch.tensor(logits)
            return model

        monkeypatch.setattr(ShardRewind, "rolled_back", rolled)

    return to


def served(world, person):
    """A case whose run has ended and waits for its judgement."""
    case = world.accepted(person)
    world.work(until=lambda: Job.objects.filter(kind="JUDGE", status="QUEUED").exists())
    return case, runs(case)[0]


def give(version):
    return give_version(reader="shop", version_id=version.pk, now=timezone.now())


def states(*versions: ModelVersion):
    return [ModelVersion.objects.get(pk=one.pk).state for one in versions]


def test_what_is_good_enough_serves_and_the_case_says_since_when(world, base, person, settings):
    settings.EXPUNGE_POLICY = {**settings.EXPUNGE_POLICY, "margin_utility": 0.99}
    case, run = served(world, person)
    assert states(run.target, run.interim) == ["WITHDRAWN", "ACTIVE"]
    assert logged(case, "version_stood_in") == [
        {
            "run": str(run.pk),
            "version": str(run.interim.pk),
            "target": str(base.pk),
            "release": "RELEASED",
        }
    ]
    assert run.report["interim"]["release"] == "RELEASED"
    assert run.report["interim"]["reason"] == "No accuracy fell by more than is tolerated."


def test_a_rollback_that_got_worse_is_held_and_the_person_is_erased(
    world, base, person, back, admin_client
):
    back(-50.0, -50.0, 50.0)
    case, run = served(world, person)
    assert states(run.target, run.interim) == ["WITHDRAWN", "CANDIDATE"]
    assert [one["release"] for one in logged(case, "version_stood_in")] == ["HELD"]
    assert {"code": "RELEASE_HELD"} in logged(case, "incident_raised")
    with pytest.raises(VersionNotServed, match="base v2 is held, since it got worse than"):
        give(run.interim)
    with pytest.raises(VersionNotHere, match=r"of base that is in use\. base v2 is held"):
        newest_version("base")
    address = reverse("audits:case", args=[case.pk])
    page = admin_client.get(address).content.decode()
    assert "Nothing serves in place of base v1" in page
    assert "Accuracy fell by" in page
    assert "version_stood_in" in page
    case = world.finish(case)
    assert not held_stand_ins().exists()
    assert "Nothing serves in place" not in admin_client.get(address).content.decode()
    assert case.status == "SEALED"
    assert states(run.target, run.interim) == ["DESTROYED", "DESTROYED"]
    stood_in = case_file.findings(case)["runs"][0]["stood_in"]
    assert stood_in["release"] == "HELD"
    assert stood_in["reason"].startswith("Accuracy fell by")
    said = limits.limits_of(case, runs(case))
    assert limit_sentences.STAND_IN_HELD.format(names="base v1") in said
    assert limit_sentences.STOOD_IN not in said


def test_what_cannot_be_logged_does_not_serve(world, base, person, monkeypatch):
    case = world.accepted(person)
    with monkeypatch.context() as patched:
        patched.setattr(log, "append", _refusing(log.append))
        world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="FAILED").exists())
    assert [str(one) for one in ModelVersion.objects.all()] == ["base v1"]
    assert states(base) == ["ACTIVE"]
    assert not Run.objects.filter(state="RUNNING").exists()
    assert logged(case, "version_stood_in") == []


def _refusing(append):
    def refusing(**event: object):
        if event["type"] == "version_stood_in":
            raise RuntimeError("the log is full")
        return append(**event)

    return refusing


def test_without_a_gate_nothing_serves_meanwhile(world, base, person):
    case = world.accepted(person)
    world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="QUEUED").exists())
    job = Job.objects.get(kind="UNLEARN")
    running.execute_run(jobs.claim_job(job_id=job.pk, now=timezone.now(), lease=LEASE))
    run = runs(case)[0]
    assert (run.status, run.interim) == ("SUCCEEDED", None)
    assert states(base) == ["ACTIVE"]


# --- what is compared ---------------------------------------------------------------------------


def answering(*logits: float) -> torch.nn.Module:
    """A model that gives every input the same logits."""
    layer = torch.nn.Linear(64, 3)
    layer.weight.data.zero_()
    layer.bias.data = torch.tensor(logits)
    return layer


NOUGHT, TWO, NOTHING = (9.0, 0.0, 0.0), (0.0, 0.0, 99.0), (0.0, 0.01, 0.0)


@pytest.fixture
def ruled(monkeypatch):
    """What is said of two of three shards that answer so, where the right answer is a nought."""

    def of(*answers: tuple[float, ...], records: int = 40):
        unseen = TensorDataset(torch.rand(records, 64), torch.zeros(records, dtype=torch.int64))
        before = SoftVote([answering(*NOUGHT) for _ in range(3)])
        monkeypatch.setattr(gating, "load_version", lambda _: before)
        monkeypatch.setattr(gating, "never_trained_on", lambda _: unseen)
        monkeypatch.setattr(gating, "_margin", lambda _: 0.02)
        members = [answering(*each) for each in answers]
        found = RolledBack(members=members, numbers=[1, 2], back=2, left=1)
        return gating.stand_in_ruling(UnlearningRun(target=ModelVersion()), found)

    return of


def test_as_good_as_before_may_serve(ruled):
    assert ruled(NOUGHT, NOUGHT) == Ruling(
        allowed=True, reason="No accuracy fell by more than is tolerated."
    )


def test_a_shard_that_got_worse_holds_a_vote_that_did_not_and_is_not_named(ruled):
    found = ruled(NOUGHT, NOTHING)
    assert found == Ruling(
        allowed=False,
        reason="Accuracy of the shard that fell most fell by 100.00%, from 100.00% to 0.00%; "
        "5.00% are tolerated.",
    )


def test_a_vote_that_got_worse_is_held(ruled):
    assert ruled(NOUGHT, TWO).reason.startswith("Accuracy fell by 100.00%")


def test_it_is_held_for_what_is_lost_under_attack_alone(ruled, settings, monkeypatch):
    settings.EXPUNGE_RELEASE_ATTACK = 0.05
    weak = Paired(before=0.75, after=0.25, noise=0.01)
    monkeypatch.setattr(gating, "_attacked", lambda *_: weak)
    assert ruled(NOUGHT, NOUGHT).reason == (
        "Adversarial accuracy fell by 50.00%, from 75.00% to 25.00%; 3.00% are tolerated."
    )


def test_where_too_few_records_were_never_trained_on_it_is_not_held(ruled):
    found = ruled(TWO, TWO, records=19)
    assert found.allowed
    assert found.reason.endswith("19 records were never trained on, and 20 are needed.")
