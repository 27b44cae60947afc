"""A known weakness fails CI; a service that is away says so, and never that all is well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.advisories import main

ROOT = Path(__file__).parents[1]
WEAKNESS = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}
WELL = {"name": "one", "version": "1.0", "vulns": []}
WEAK = {"name": "two", "version": "2.0", "vulns": [WEAKNESS]}
UNKNOWN = {"name": "three", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def answering(tmp_path):
    """A pip-audit that answers so."""

    def become(*packages: dict[str, object], error: str = "", code: int = 0) -> Path:
        answer = json.dumps({"dependencies": packages, "fixes": []}) if not error else ""
        (tmp_path / "out").write_text(answer)
        (tmp_path / "error").write_text(error)
        program: Path = tmp_path / "pip-audit"
        lines = ["#!/bin/sh", f"cat {tmp_path / 'out'}", f"cat {tmp_path / 'error'} >&2"]
        program.write_text("\n".join([*lines, f"exit {code}", ""]))
        program.chmod(0o700)
        return program

    return become


def test_a_known_weakness_fails_and_says_where_it_is_repaired(answering, capsys):
    assert main([], answering(WELL, WEAK, UNKNOWN, code=1)) == 1
    assert capsys.readouterr().out == "two 2.0 has PYSEC-1, CVE-1; fixed in: 2.1.\n"


def test_where_nothing_is_known_it_says_how_many_were_asked_and_who_was_not(answering, capsys):
    assert main(["--must"], answering(WELL, UNKNOWN)) == 0
    said = capsys.readouterr().out
    assert said == "1 pinned packages have no known weakness. Not known to the service: three.\n"


@pytest.mark.parametrize(
    "error",
    [
        "requests.exceptions.ConnectionError: HTTPSConnectionPool: Max retries exceeded",
        "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed",
        "requests.exceptions.ReadTimeout: read timed out",
    ],
)
def test_a_service_that_is_away_is_told_and_no_failure_unless_it_must_be(answering, error, capsys):
    program = answering(error=error, code=1)
    assert (main([], program), main(["--must"], program)) == (0, 1)
    assert (
        capsys.readouterr().out.count("NOT AUDITED: the advisory service cannot be reached") == 2
    )


def test_a_mirror_that_knows_no_package_is_not_taken_for_a_clean_bill(answering, capsys):
    assert main([], answering(UNKNOWN)) == 0  # pip-audit itself says that nothing was found
    assert "NOT AUDITED: the advisory service knows none" in capsys.readouterr().out


def test_without_pip_audit_nothing_is_asked(tmp_path, capsys):
    assert main([], tmp_path / "none") == 0
    assert "NOT AUDITED: pip-audit could not be installed" in capsys.readouterr().out


def test_any_other_error_fails(answering, capsys):
    assert main([], answering(error="invalid requirements input: constraints.txt", code=1)) == 1
    assert "invalid requirements input" in capsys.readouterr().out


def test_ci_asks_and_fails_for_what_a_change_caused_alone():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    made = [line for line in lines if line.startswith("make ")]
    assert made[0] == "make check test"
    assert made[1].startswith("make audit || echo ")
