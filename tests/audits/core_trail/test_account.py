from __future__ import annotations

import pytest

from audits.core.account import AccountRefused, LoggedEvent
from audits.core.record import RecordRejected, assemble
from audits.core.statement import Statement, sign_statement
from tests.audits.core_trail.sealing import KEY, SUBJECT, account, event, parts


@pytest.mark.parametrize(
    "predicate",
    [
        {},
        {"case": 1},
        {"case": "CASE-1"},
        {"outcome": "it was erased"},
        {"findings": []},
        {"events": []},
        {"events": {}},
        {"events": [{"index": 1}]},
        {"events": [{"index": -1, "event": event("case_erased").to_json()}]},
        {"events": [{"index": True, "event": event("case_erased").to_json()}]},
        {"events": [{"index": 1, "event": {}}]},
        {"note": "extra"},
    ],
)
def test_a_signed_predicate_that_is_not_an_account_is_rejected(predicate):
    right = dict(account().to_statement().predicate)
    wrong = Statement(subjects=(SUBJECT,), predicate=right | predicate if predicate else {})
    with pytest.raises(RecordRejected, match=r"^Step 3, "):
        assemble(**parts() | {"envelope": sign_statement(wrong, KEY)})


@pytest.mark.parametrize(
    "change",
    [
        {"case": "CASE-1"},
        {"outcome": "erased"},
        {"events": ()},
        {"events": account().events[::-1]},
        {"events": (account().events[0], account().events[0])},
        {"events": (LoggedEvent(index=-1, event=event("case_erased")),)},
        {"case": "22222222-2222-4333-8444-555555555555"},
        {"case": "CASE-1", "events": account().events[1:]},
    ],
)
def test_an_account_that_could_not_be_verified_is_not_made(change):
    with pytest.raises(AccountRefused):
        account(**change)
