"""The site of the documentation has every page, and every command is documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.site import commands_page, first_hour, operations_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# `make site` draws them from other files.
GENERATED = {"http-operations.md"}


def configuration() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "mkdocs.yml").read_text()))


def pages_in(navigation) -> list[str]:
    """Return the pages under an entry of the navigation, in order."""
    if isinstance(navigation, str):
        return [navigation]
    below = navigation.values() if isinstance(navigation, dict) else navigation
    return [page for entry in below for page in pages_in(entry)]


def test_every_page_is_in_the_navigation_once():
    listed = pages_in(configuration()["nav"])
    written = {path.name for path in DOCS.glob("*.md")} | {"adr/README.md"} | GENERATED
    written |= {f"cookbook/{path.name}" for path in (DOCS / "cookbook").glob("*.md")}
    assert sorted(listed) == sorted(written)


def test_the_navigation_has_the_four_parts_and_operations():
    parts = [name for entry in configuration()["nav"] for name in entry]
    wanted = ["Start", "Tutorial", "How-to", "Operations", "Reference", "Explanation"]
    assert parts == wanted


def test_the_site_fails_on_broken_links_and_asks_no_other_host():
    site = configuration()
    assert site["strict"] is True
    assert {"omitted_files", "anchors", "unrecognized_links"} <= {
        name for name, level in site["validation"].items() if level == "warn"
    }
    assert site["theme"]["font"] is False
    assert "extra_javascript" not in site
    assert "extra_css" not in site
    # The theme would fetch a program for each of these.
    pages = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    assert "```mermaid" not in pages
    assert not re.search(r"!\[[^\]]*\]\(https?:|<(?:img|script|link|iframe)[^>]*https?:", pages)


def test_the_site_is_not_committed():
    folder = configuration()["site_dir"]
    subprocess.run(["git", "check-ignore", "-q", folder], cwd=ROOT, check=True)


def test_every_management_command_is_documented_as_it_explains_itself():
    page = commands_page.PAGE.read_text()
    assert page == commands_page.page_text(page), "run python -m tests.site.commands_page"
    documented = re.findall(r"^## `(\w+)`$", page, re.MULTILINE)
    files = ROOT.glob("*/management/commands/*.py")
    assert documented == sorted(path.stem for path in files if path.stem != "__init__")


def test_the_page_of_operations_has_every_operation_of_the_document():
    page = operations_page.page_text(DOCS / "openapi.json")
    operations = re.findall(r"^### `([A-Z]+ /\S+)`$", page, re.MULTILINE)
    table = re.findall(r"^\| `([A-Z]+ /\S+)` \|", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert sorted(operations) == sorted(table)
    assert "| `email` | string" in page


@pytest.mark.parametrize("block", first_hour.blocks(first_hour.PAGE.read_text()))
def test_every_block_of_the_first_hour_can_be_read(block):
    language, title, text = block
    if language == "python":
        assert title.startswith("var/first-hour/")
        compile(text, title, "exec")
    else:
        assert language == "sh"
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_five_lines_connect_a_training():
    _, _, text = next(
        block for block in first_hour.blocks(first_hour.PAGE.read_text()) if "train.py" in block[1]
    )
    marked = re.findall(r"  # (\d)$", text, re.MULTILINE)
    assert marked == ["1", "2", "3", "4", "5"]
