"""Every address of the API asks for a key, and for a scope that the key must have."""

from __future__ import annotations

import json

import pytest

from config import api_page, openapi
from config.api import api
from lineage.services.api_keys import SCOPES
from tests.api.worlds import bearer, secret

pytestmark = pytest.mark.django_db
PLACE = "00000000-0000-4000-8000-000000000007"
CALLS = [
    (method, path, openapi.scopes_of(operation))
    for path, method, operation in openapi.operations(api)
]
OPEN = {"/api/v1/health", "/api/v1/health/live"}


def address(path: str) -> str:
    """The address with something in place of each of its parameters."""
    parts = (PLACE if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts)


def ask(client, method, path, headers=None):
    body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
    return getattr(client, method)(address(path), headers=headers or {}, **body)


def test_nothing_but_health_is_open():
    assert {path for _, path, scopes in CALLS if not scopes} == OPEN
    assert len(CALLS) > 40


def test_without_a_key_or_with_a_wrong_one_every_address_answers_401(client):
    for method, path, scopes in CALLS:
        if not scopes:
            continue
        for headers in ({}, bearer("expunge_wrong_key"), {"authorization": "Basic YTpi"}):
            answer = ask(client, method, path, headers)
            assert answer.status_code == 401, (method, path)
            assert answer["Content-Type"] == "application/problem+json"
            assert answer["WWW-Authenticate"] == "Bearer"


def test_a_key_with_every_scope_but_the_one_that_is_needed_gets_403(client, settings):
    settings.EXPUNGE_API_PER_MINUTE = 0
    keys = {}
    for method, path, scopes in CALLS:
        if not scopes:
            continue
        if scopes not in keys:
            keys[scopes] = secret(*sorted(set(SCOPES) - set(scopes)))
        answer = ask(client, method, path, bearer(keys[scopes]))
        assert answer.status_code == 403, (method, path)
        assert scopes[0] in answer.json()["detail"]


def test_a_key_with_one_of_the_scopes_alone_comes_further(client, settings):
    settings.EXPUNGE_API_PER_MINUTE = 0
    keys = {scope: secret(scope) for scope in SCOPES}
    for method, path, scopes in CALLS:
        for scope in scopes:
            answer = ask(client, method, path, bearer(keys[scope]))
            assert answer.status_code not in {401, 405}, (method, path)
            if answer.status_code == 403:  # a service refused, or the run is another's
                assert "scope" not in answer.json()["detail"], (method, path)


# --- the document ------------------------------------------------------------------


def test_the_document_and_the_table_are_those_of_the_code():
    assert openapi.FILE.read_text() == openapi.written(api), "run manage.py openapi --write"
    page = api_page.PAGE.read_text()
    assert page == api_page.page_text(page, api), "run manage.py openapi --write"


def test_every_operation_says_what_it_is_and_how_it_can_fail():
    told = openapi.document(api)
    names = set()
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert operation["tags"], where
            names.add(operation["operationId"])
            expected = set(openapi.WHY) if method != "get" else set(openapi.READS)
            expected = expected if operation["security"] else set(openapi.PUBLIC_READS)
            for code in expected:
                response = operation["responses"][str(code)]
                assert response == {"$ref": f"#/components/responses/{code}"}, where
    assert len(names) == len(CALLS)
    problem = told["components"]["responses"]["409"]["content"]["application/problem+json"]
    assert problem == {"schema": {"$ref": "#/components/schemas/Problem"}}


def test_the_document_is_served_and_its_page_takes_nothing_from_elsewhere(client):
    served = client.get("/api/v1/openapi.json")
    assert served.json() == json.loads(openapi.FILE.read_text())
    page = client.get("/api/v1/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "ninja/swagger-ui-bundle.js" in text
    assert "http://" not in text
    assert "https://" not in text
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
