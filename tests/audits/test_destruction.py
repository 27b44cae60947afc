"""A version is destroyed outside a case: by whom it may be, wholly, and read back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from audits.models import LogLeaf, Notice
from audits.services import destruction, notice_links, notices
from audits.services.destruction import DestructionRefused, VersionRemains
from audits.services.rights import NotAllowed
from lineage.artifacts import ArtefactMissing
from lineage.models import ModelVersion, Role
from lineage.queries.artefacts import weights_of
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from tests.audits.clock_cases import member
from tests.audits.test_told import deployed
from tests.audits.world import ADA, BERT, CLEO, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def bare(world):
    return world.bare("bare", world.snapshot(ADA, BERT))


def exported(version, name="onnx", activity="EXPORT", weights=b"the same in another form"):
    inputs = (Input(source=version, role=Role.SOURCE_MODEL),)
    run = begin_run(plan=RunPlan(activity=activity, inputs=inputs), now=NOW)
    return finish_run(run=run, result=RunResult(model_name=name, weights=weights), now=NOW)


def destroy(version, user=None, **fields: Any):  # noqa: ANN401  (fields of what is made)
    given = {"typed": str(version), "ground": "AUTHORITY_ORDER", "now": NOW, **fields}
    return destruction.destroy(version=version, user=user, **given)


def states():
    return {str(one): one.state for one in ModelVersion.objects.all()}


def test_M5_a_version_and_its_exports_are_destroyed_and_cannot_be_loaded(world, bare):
    onnx = exported(exported(bare), name="quantised", activity="QUANTISE", weights=b"in few bits")
    exported(bare, name="student", activity="DISTILL", weights=b"a student")
    place = deployed(bare)
    assert destroy(bare, member("Model operator")) == 3
    assert states() == {
        "bare v1": "DESTROYED",
        "onnx v1": "DESTROYED",
        "quantised v1": "DESTROYED",
        "student v1": "ACTIVE",
    }
    for version in (bare, onnx):
        with pytest.raises(ArtefactMissing):
            weights_of(version)
    kinds = list(LogLeaf.objects.order_by("index").values_list("type", flat=True))
    assert (kinds.count("version_destroyed"), kinds.count("artefact_destroyed")) == (3, 3)
    notice = Notice.objects.get(deployment=place)
    assert (notice.request, notice.occasion, notice.state) == (None, "DESTROYED", "SENT")
    assert "takes its place" not in mail.outbox[-1].body
    notices.acknowledge_by_link(token=notice_links.link_token(notice), now=NOW)
    place.refresh_from_db()
    assert place.acknowledged_at == NOW


def test_M5_destroying_again_finishes_what_was_begun_and_tells_nobody_twice(world, bare):
    deployed(bare)
    destroy(bare)
    before = LogLeaf.objects.count()
    destroy(bare)
    assert (LogLeaf.objects.count(), len(mail.outbox)) == (before, 1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"typed": "bare v2"}, "Type 'bare v1'; 'bare v2' is another name"),
        ({"ground": "WHIM"}, "ground is 'WHIM'; allowed are AUTHORITY_ORDER"),
    ],
)
def test_a_slip_destroys_nothing(world, bare, fields, said):
    with pytest.raises(DestructionRefused, match=said):
        destroy(bare, **fields)
    assert states() == {"bare v1": "ACTIVE"}


def test_only_who_decides_about_models_destroys_one(world, bare):
    with pytest.raises(NotAllowed, match="may not decide about models"):
        destroy(bare, member("Case officer"))
    assert states() == {"bare v1": "ACTIVE"}


def test_a_case_at_work_at_a_version_decides_about_it(world, bare):
    case = world.erased()
    with pytest.raises(DestructionRefused, match=f"Case {case.reference} is at work at bare v1"):
        destroy(bare)


def test_bytes_that_another_version_needs_are_said_to_remain(world, bare):
    exported(world.bare("apart", world.snapshot(CLEO)), "twin", weights=weights_of(bare))
    with pytest.raises(VersionRemains, match="a version that is in use has the same bytes"):
        destroy(bare)


def test_a_command_destroys_and_reports(world, bare, capsys):
    with pytest.raises(CommandError, match="Type 'bare v1'"):
        call_command("destroy_version", "bare:1", "--ground", "SECURITY", "--confirm", "bare")
    call_command("destroy_version", "bare:1", "--ground", "SECURITY", "--confirm", "bare v1")
    assert "bare v1 is destroyed: 1 files, read back as gone." in capsys.readouterr().out
