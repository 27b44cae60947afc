"""Two members of staff at once: what one proposes is not replaced by what another chose before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from pyroaring import BitMap

from audits.models import OperatorCase
from audits.queries.operator_cases import chosen_of
from audits.services import operator_cases
from audits.services.transitions import MoveNotAllowed
from lineage.models import OrdinalSpace
from tests.audits.operator_worlds import new_case, staff
from tests.audits.world import NOW, person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"
    ),
]
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def test_what_was_chosen_before_a_proposal_does_not_replace_it(signing_key):
    person("ada@example.org", records=6)
    new = new_case(OrdinalSpace.objects.get(), seeds=[1, 2], reason="EXPIRED_CONSENT")
    case = operator_cases.open_case(new=new, user=staff("ann"), now=NOW)
    carl = staff("carl")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            operator_cases.propose(case_id=case.pk, user=staff("ann"), now=NOW)
            late = pool.submit(chosen_by, case.pk, carl)
            assert until_somebody_waits()
        with pytest.raises(MoveNotAllowed, match="can be chosen only while it is DRAFT"):
            late.result()
    assert chosen_of(OperatorCase.objects.get()) == BitMap([1, 2])


def chosen_by(case_id, user):
    try:
        operator_cases.choose(case_id=case_id, ordinals=BitMap([5]), user=user)
    finally:
        connection.close()


def until_somebody_waits():
    for _ in range(100_000):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
    return False
