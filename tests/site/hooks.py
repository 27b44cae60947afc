"""What mkdocs does besides turning docs/*.md into pages; mkdocs.yml names this file."""

from __future__ import annotations

import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
# Pages link to files of the repository by a path that leaves docs/.
OUTSIDE = re.compile(r"\]\(((?:\.\./)+)([\w./-]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of operations, and the files outside of docs/ that a page links to."""
    if str(ROOT) not in sys.path:  # mkdocs runs this file by its path
        sys.path.insert(0, str(ROOT))
    from tests.site.operations_page import page_text

    operations = page_text(ROOT / "docs" / "openapi.json")
    files.append(File.generated(config, "http-operations.md", content=operations))
    for path in sorted(linked_outside(files)):
        source = str(ROOT / path)
        files.append(File.generated(config, f"source/{path}", abs_src_path=source))
    return files


def linked_outside(files: Files) -> set[str]:
    """Return the paths of the linked files of the repository that are not in docs/."""
    pages = [file for file in files.documentation_pages() if not file.generated_by]
    found = {
        path
        for page in pages
        for up, path in OUTSIDE.findall(page.content_string)
        if leaves(page.src_uri, up) and (ROOT / path).is_file()
    }
    return {path for path in found if not path.endswith(".md")}


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that leave docs/ to the copies on the site."""

    def inside(match: re.Match[str]) -> str:
        up, path = match.groups()
        if not leaves(page.file.src_uri, up):
            return match[0]
        return f"]({'../' * (up.count('../') - 1)}source/{path}"

    return OUTSIDE.sub(inside, markdown)


def leaves(src_uri: str, up: str) -> bool:
    """Whether so many steps up from a page are outside of docs/."""
    return up.count("../") == len(PurePosixPath(src_uri).parts)
