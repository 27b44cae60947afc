"""The operator's own case beside records that must be kept for somebody."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audits import workflow
from audits.queries.exceptions import must_be_kept
from audits.services import operator_cases, removal
from audits.services.operator_checks import ForgetSetRefused
from lineage.queries.availability import purged_ordinals
from lineage.services.importing import Row, import_records
from tests.audits.excepting import accepted as decided
from tests.audits.excepting import kept
from tests.audits.operator_worlds import new_case, opened, staff
from tests.audits.world import ADA, BERT, logged

pytestmark = pytest.mark.django_db


def keep(world) -> None:
    """Except all that is held of Ada at the data set; a record elsewhere is erased."""
    rows = [Row(line=2, key="e", subject=ADA, content=b"x", target="1", media_type="text/plain")]
    import_records(dataset_name="other", rows=rows, now=timezone.now())
    decided(world, kept(dataset=world.dataset.pk))


def test_what_an_exception_keeps_is_not_deleted_with_an_operators_case(world, client):
    keep(world)
    excepted = world.owned(ADA)
    space = world.dataset.space
    assert must_be_kept(space) == excepted
    mixed = [*excepted][:1] + [*world.owned(BERT)][:2]
    new = new_case(space, seeds=mixed, disposal="DELETE")
    with pytest.raises(
        ForgetSetRefused, match=r"1 of these records must be kept \(Art. 17\(3\), 18\)"
    ):
        operator_cases.open_case(new=new, user=staff("ann"), now=timezone.now())

    case = opened(world, new_case(space, seeds=mixed))  # which only leaves the training
    client.force_login(staff("ann"))
    page = client.get(f"/cases/{case.pk}/forget-set/").content.decode()
    assert "1 must be kept, under an exception" in page


def test_an_exception_made_after_the_case_was_opened_still_keeps(world):
    space, hers = world.dataset.space, world.owned(ADA)
    case = opened(world, new_case(space, seeds=[*hers], disposal="DELETE"))
    keep(world)
    with pytest.raises(ForgetSetRefused):
        workflow.propose_forget_set(case_id=case.pk, user=staff("ann"))
    type(case.request).objects.filter(pk=case.pk).update(status="APPROVED")  # or even later
    removal.restrict_chosen(case_id=case.pk, now=timezone.now())
    removal.settle_data(case=case, request=case.request, now=timezone.now())
    assert not purged_ordinals(space) & hers
    assert [one["records"] for one in logged(case.request, "records_kept_apart")] == [6]
