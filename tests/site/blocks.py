"""Run the code blocks of all pages on one installation: python -m tests.site.blocks [PAGE ...].

The demonstration makes it, in a folder of its own, and ``manage.py serve`` runs it meanwhile. Each
page is one bash session in a folder that looks like a checkout. What the pages left to the workers
is waited for, and must succeed as well. The blocks of docs/first-hour.md are run by
``tests.site.first_hour``. It takes some minutes; ``make blocks`` is both.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.functional.installation import Installation
from tests.site import forking
from tests.site.code_blocks import ROOT, Block, every_block
from tests.site.prepared import EVERYWHERE, NOT_RUN, PAGES, Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

APART = "docs/first-hour.md"
COOKBOOK = "docs/cookbook/"  # its pages are notebooks
LIMIT = 600  # seconds for a page, and for what the pages left to the workers
LEFT = "SELECT kind, status, error FROM lineage_job WHERE status != 'SUCCEEDED'"
SCOPES = (
    *("capture", "lineage:read", "subjects:read", "serve", "intake", "cases:read", "cases:write"),
    *("evidence:read", "reports:read", "log:read", "webhooks:write", "lineage:write"),
)
STAFF = {"ann": "Case officer", "chief": "Administrator", "deputy": "Administrator"}
KNOWN = """
import json
from audits.models import ErasureRequest, Evidence
from audits.queries.evidence import file_of
from lineage.models import DatasetSnapshot, ModelVersion
from lineage.queries.membership import members
case = ErasureRequest.objects.filter(status="SEALED", channel="FORM").first()
look = Evidence.objects.filter(kind="U_LIRA").first()
open("{evidence}", "wb").write(file_of(look, case))
version = ModelVersion.objects.filter(kind="MODEL", state="ACTIVE").latest("generated_at")
snapshot = DatasetSnapshot.objects.filter(dataset__name="demo-digits").latest("created_at")
print(json.dumps(dict(
    CASE=case.reference, SNAPSHOT=str(snapshot.pk), VERSION=str(version.pk),
    MODEL=f"{{version.model_name}}:{{version.version}}",
    RECORDS=",".join(map(str, list(members(snapshot))[-3:])),
    DATASET=f"{{snapshot.dataset.namespace}}/{{snapshot.dataset.name}}",
)))
"""


def script(page: str, blocks: Iterable[Block]) -> str:
    """Return a page as one session of bash, with what its reader has at hand."""
    if page.startswith(COOKBOOK):
        return notebook(blocks)
    prepared = PAGES.get(page, Page())
    steps = [prepared.shell]
    for block in blocks:
        before = "".join(text for mark, text in prepared.before.items() if mark in block.text)
        if block.language == "sh":
            steps.append(before + adapted(left_to_run(block.text), prepared))
        elif block.language == "python":
            steps.append(program(prepared.python + before + adapted(block.text, prepared)))
    return "\n".join(["set -e", *steps])


def notebook(blocks: Iterable[Block]) -> str:
    """Return the cells of a notebook's page as one program, run as they are where it lies."""
    cells = "".join(f"{block.text}\n" for block in blocks)
    ends = "END_OF_NOTEBOOK"
    run = 'cd notebooks\npython "$OLDPWD/notebook.py"\n'
    return f"set -e\ncat > notebook.py <<'{ends}'\n{cells}{ends}\n{run}"


def left_to_run(text: str) -> str:
    """Return a block without the lines that are listed as not run."""
    kept = [line for line in text.splitlines() if not any(map(f"{line} ".startswith, NOT_RUN))]
    return "".join(f"{line}\n" for line in kept)


def adapted(text: str, prepared: Page) -> str:
    """Return a block with the names of the installation in the place of those of the page.

    Those of the page come first, and hold where it has the same name.
    """
    for written, meant in {**prepared.names, **EVERYWHERE, **prepared.names}.items():
        text = text.replace(written, meant)
    return text


def program(text: str) -> str:
    """Return the shell that runs a block of Python; variables of the shell stand in it."""
    begins, ends = "python - <<END_OF_BLOCK", "END_OF_BLOCK"
    return f"{begins}\n{text.replace(chr(92), chr(92) * 2).replace('`', chr(92) + '`')}\n{ends}"


def checkout(folder: Path) -> Path:
    """Make a folder with links to what a checkout has at its top, for what pages write."""
    folder.mkdir()
    for path in ROOT.iterdir():
        if path.name not in {".git", "var", "dist"}:
            (folder / path.name).symlink_to(path)
    return folder


def environment(installation: Installation, folder: Path) -> dict[str, str]:
    """Return what a page's session finds in its environment; it makes the staff and the key."""
    for name, role in STAFF.items():
        installation.manage("staff", "add", name, "--role", role)
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    key = installation.manage("api_key", "create", "reader", *scopes, "--as", "ann").strip()
    evidence, bundle = folder / "look.json", folder / "bundle.zip"
    known = installation.ask(KNOWN.format(evidence=evidence))
    installation.manage("export_case", known["CASE"], "--out", str(bundle))
    quick = forking.starter(folder / "bin", folder / "ready")
    programs = f"{quick}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {
        **installation.environ,
        **known,
        "URL": installation.site,
        "EXPUNGE_URL": installation.site,
        "KEY": key,
        "EXPUNGE_API_KEY": key,
        "PATH": programs,
        "PYTHONPATH": str(ROOT),
        "VKEY": str(Path(installation.environ["EXPUNGE_KEYS"]) / "keys.vkey"),
        "EVIDENCE": str(evidence),
        "BUNDLE": str(bundle),
        "HOME": str(folder),
    }


def wanted(pages: list[str]) -> Iterator[tuple[str, list[Block]]]:
    """Yield the pages that are asked for, or all, with the blocks that are run."""
    found: dict[str, list[Block]] = {}
    for block in every_block():
        if block.language in {"sh", "python"} and block.page != APART:
            found.setdefault(block.page, []).append(block)
    yield from ((page, blocks) for page, blocks in found.items() if not pages or page in pages)


def run_page(page: str, blocks: list[Block], folder: Path, environ: dict[str, str]) -> bool:
    """Run a page; print how long it took, or all that it said where it failed."""
    began = time.monotonic()
    place = checkout(folder / page.replace("/", "-"))
    steps = place / "steps.sh"
    steps.write_text(script(page, blocks))
    done = subprocess.run(
        ["timeout", str(LIMIT), "bash", "-x", steps],
        cwd=place,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    ran = sum(
        block.language == "python" or bool(left_to_run(block.text).strip()) for block in blocks
    )
    took = time.monotonic() - began
    print(f"{page}: ran {ran} of {len(blocks)} blocks, {took:.0f} s", flush=True)
    if done.returncode:
        print(f"{done.stdout}\n{page} ended with {done.returncode}", flush=True)
    return done.returncode == 0


@contextmanager
def ready(address: Path, environ: dict[str, str]) -> Iterator[None]:
    """Keep a process that runs management commands, from when it answers until the end."""
    words = [sys.executable, "-m", "tests.site.forking", str(address)]
    with subprocess.Popen(words, cwd=ROOT, env=environ) as process:
        try:
            while not address.exists() and process.poll() is None:
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def left(installation: Installation) -> list[str]:
    """Wait for the workers; return the jobs that did not succeed, each with what it said."""
    end = time.monotonic() + LIMIT
    while jobs := installation.query(LEFT):
        at_work = any(status in {"QUEUED", "RUNNING"} for _, status, _ in jobs)
        if not at_work or time.monotonic() > end:
            break
        time.sleep(1)
    return [f"job {kind}, {status}: {error}" for kind, status, error in jobs]


def run(home: Path, pages: list[str]) -> int:
    """Run pages on an installation in ``home``; return 1 where one of them fails."""
    installation = Installation(home)
    installation.manage("setup")
    print(installation.manage("demo"), flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        try:
            installation.serve()
            environ = environment(installation, folder)
            with ready(folder / "ready", environ):
                failed = [
                    page
                    for page, blocks in wanted(pages)
                    if not run_page(page, blocks, folder, environ)
                ] + left(installation)
        finally:
            installation.close()
    print(f"failed: {shlex.join(failed) or 'none'}")
    return int(bool(failed))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.exit(run(Path(os.environ.get("EXPUNGE_HOME") or made), sys.argv[1:]))
