"""The answers of a record: facts of a case that its other members do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.answers import check_answers
from audits.queries import case_file
from audits.queries.answers_data import data_answers
from audits.queries.answers_models import model_answers
from audits.queries.answers_request import request_answers
from audits.queries.answers_site import site_answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from audits.models import ErasureRequest


def answers_of(
    request: ErasureRequest, findings: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Return the answers of a case that is being sealed, by the other findings and the log.

    Raises:
        AnswersRefused: an answer is not of the closed form, so nothing may be sealed.
    """
    logged = case_file.case_events(request)
    found = {
        **request_answers(request, findings, logged, now=now),
        **data_answers(request, findings, logged),
        **model_answers(request, findings, logged, case_file.ordered_runs(request)),
        **site_answers(request, logged, now=now),
    }
    check_answers(found)
    return found
