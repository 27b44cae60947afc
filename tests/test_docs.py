"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audits.core import attack_page, role_page
from expunge.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
ADR = ROOT / "docs" / "adr"
# The words that the field uses in several senses; we use each in one.
TERMS = (
    "Forget set",
    "Retain set",
    "Original model",
    "Unlearned model",
    "Retrained model",
    "Shadow model",
    "Membership score",
    "Erasure",
    "Unlearning",
    "Deletion",
    "Evidence",
    "Run",
)
TEXTS = {".md", ".py", ".html", ".txt", ".typ", ".json", ".ipynb"}
ADR_HEADINGS = ["## Context", "## Options", "## Decision", "## Negative consequences"]
ADR_LINES = 60  # about a page


def makefile_targets() -> set[str]:
    """Return the targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def make_targets_in(markdown: str) -> set[str]:
    """Return every target after `make` in a code span, or first in a line of a code block."""
    fenced = re.findall(r"^```.*?\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4}.*$", markdown, re.MULTILINE)
    lines = "\n".join([*fenced, *indented])
    commands = re.findall(r"`make ([a-z -]+)", markdown)
    commands += re.findall(r"^ *(?:\$ )?make ([a-z -]+)", lines, re.MULTILINE)
    return {target for words in commands for target in words.split()}


def adr_files() -> list[Path]:
    return sorted(ADR.glob("[0-9]*.md"))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_documented_exists(page):
    assert make_targets_in((ROOT / page).read_text()) - makefile_targets() == set()


def test_the_readme_lists_every_make_target():
    assert makefile_targets() - make_targets_in((ROOT / "README.md").read_text()) == set()


def test_every_make_target_is_phony_and_explained():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == makefile_targets()


def test_the_glossary_defines_every_term_that_wavers():
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    defined = re.findall(r"^\*\*(.+?)\*\*", glossary, re.MULTILINE)
    assert set(TERMS) - set(defined) == set()
    assert len(defined) == len(set(defined)), "a term is defined twice"


def test_the_index_lists_every_decision_and_nothing_else():
    index = (ADR / "README.md").read_text()
    listed = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \|", index, re.MULTILINE)
    written = [
        (path.name[:4], path.name, path.read_text().splitlines()[0].partition(". ")[2])
        for path in adr_files()
    ]
    assert listed == written


@pytest.mark.parametrize("path", adr_files(), ids=lambda path: path.stem)
def test_a_decision_has_its_parts_and_fits_a_page(path):
    lines = path.read_text().splitlines()
    assert lines[0].startswith(f"# {int(path.name[:4])}. ")
    assert [line for line in lines if line.startswith("## ")] == ADR_HEADINGS
    assert len(lines) <= ADR_LINES


def test_the_changelog_has_an_entry_for_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    entry = rf"^## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d$"
    assert re.search(entry, changelog, re.MULTILINE), f"no entry for {VERSION}"


@pytest.mark.parametrize(
    ("markdown", "targets"),
    [
        ("Run `make check test` first.", {"check", "test"}),
        ("```\n$ make demo\nmake serve ARGS=1\n```\n", {"demo", "serve"}),
        ("    make setup    # once\n", {"setup"}),
        ("We make sure that we\nmake sense.", set()),
        ("`make`", set()),
    ],
)
def test_targets_are_read_from_code_alone(markdown, targets):
    assert make_targets_in(markdown) == targets


def test_every_setting_is_documented():
    code = "".join(path.read_text() for path in sorted((ROOT / "config").glob("*.py")))
    read = set(re.findall(r'"((?:EXPUNGE_[A-Z_]+|DATABASE_URL|REDIS_URL))"', code))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert read - documented == set()
    assert {name for name in documented if name.startswith("EXPUNGE")} - read == set()


def test_nobody_is_sent_to_the_public_index_for_a_name_that_is_not_ours():
    product = [ROOT / "pyproject.toml", ROOT / "Makefile", *ROOT.glob("*.md")]
    for folder in ("docs", "expunge", "lineage", "unlearning", "audits", "config", "templates"):
        product += [path for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    named = re.compile(r"""install (?:-\S+ )*["']?expunge\b(?![-/])""")
    assert named.search('pip install -q "expunge[web]"')
    assert not named.search("pip install dist/expunge-1.whl; pip install -e .")
    assert [str(path) for path in product if named.search(path.read_text())] == []


def test_the_page_of_attacks_says_what_their_files_say():
    page = attack_page.PAGE.read_text()
    assert page == attack_page.page_text(page), "run python -m audits.core.attack_page"


def test_L22_the_page_of_roles_says_who_may_do_what():
    page = role_page.PAGE.read_text()
    assert page == role_page.page_text(page), "run python -m audits.core.role_page"
    assert "| approve a proposed decision |  |  | yes |  |  |  |" in page


def test_the_page_of_attacks_keeps_what_is_written_around_the_entries():
    page = f"before\n{attack_page.BEGIN}\nwhat was here\n{attack_page.END}\nafter\n"
    renewed = attack_page.page_text(page)
    assert renewed.startswith("before\n")
    assert renewed.endswith(f"{attack_page.END}\nafter\n")
    assert "what was here" not in renewed
    assert "| `rmia` | RMIA, offline | fail only | " in renewed
    assert "| `update_leak` | Update leak | never an erasure | " in renewed
    assert "*Settings.* `a` = 0.33, `gamma` = 1.0." in renewed
