"""The bill of materials is whole, and nothing in it is under a licence that we cannot bear."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from tests import materials
from tests.materials import Material

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bill():
    return materials.document()


def test_no_installed_package_is_under_the_gpl():
    assert [one for one in materials.materials() if one.refused] == []


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("GNU Affero General Public License v3", True),
        ("GPL-2.0-only OR MIT", False),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-3.0 WITH GCC-exception-3.1", False),
        ("BSD-3-Clause", False),
        ("", False),
    ],
)
def test_licences_are_told_apart(licence, refused):
    assert Material(name="x", version="1", licence=licence).refused is refused


def test_the_bill_has_what_the_server_needs_in_the_version_that_is_installed(bill):
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    every = [*asked["dependencies"], *asked["optional-dependencies"]["web"]]
    named = {materials.plain(re.split(r"[^\w.-]", one)[0]) for one in every if ";" not in one}
    billed = {one["name"]: one["version"] for one in bill["components"]}
    assert named - {"expunge"} - billed.keys() == set()
    assert billed == {name: version(name) for name in billed}


def test_every_reference_of_the_bill_leads_to_a_component_of_it(bill):
    refs = {one["bom-ref"] for one in bill["components"]}
    assert len(refs) == len(bill["components"])
    assert {one["ref"] for one in bill["dependencies"]} == refs
    assert {to for one in bill["dependencies"] for to in one["dependsOn"]} <= refs
    django = next(one for one in bill["dependencies"] if one["ref"].startswith("pkg:pypi/django@"))
    assert any(to.startswith("pkg:pypi/sqlparse@") for to in django["dependsOn"])
