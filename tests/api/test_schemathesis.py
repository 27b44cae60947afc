"""Calls made up from the document, right and wrong ones: none breaks what the document says."""

from __future__ import annotations

import os

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    ignored_auth,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from config.api import api
from config.openapi import document
from tests.api.worlds import bearer

pytestmark = pytest.mark.django_db
# Beside every border of every value; `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("EXPUNGE_TEST_CALLS", "4"))
# A call may fit the document and be refused all the same: a cursor of another list, a ground that
# the law does not know. The sentence says so, and the status is documented.
RIGHT = ["2xx", "3xx", "401", "403", "404", "409", "422", "425", "429", "503"]

SHAPE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def _document():
    project = ProjectConfig(
        phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=True)),
        generation=GenerationConfig(with_security_parameters=False),  # see test_rights.py
        checks=ChecksConfig(
            positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=RIGHT)
        ),
    )
    config = SchemathesisConfig(seed=1, projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document(api), config=config)
    schema.app = WSGIHandler()
    return schema


schema = _document()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_a_call_is_answered_as_the_document_says(shared, case):
    headers = bearer(shared.key)
    case.call_and_validate(headers=headers, excluded_checks=[ignored_auth])
    known = {name: shared.known.get(name, "x") for name in case.path_parameters}
    if known:  # the same call about something that is here
        case.path_parameters = known
        response = case.call(headers=headers)
        case.validate_response(response, checks=SHAPE, headers=headers)
