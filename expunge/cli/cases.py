"""Cases: list, show, evidence, report, and what staff do by a program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from expunge.cli.requests import KINDS
from expunge.cli.session import Exit, Told, Verbs, asks
from expunge.cli.showing import progress

if TYPE_CHECKING:
    from typing import TextIO

    from expunge.cli.showing import Shown
    from expunge.client import Client

METHODS = ("ACCOUNT", "CALL_BACK", "QUESTIONS", "LETTER_CODE", "DOCUMENT", "IN_PERSON")
LEVELS = ("LOW", "SUBSTANTIAL", "HIGH")
FORMS = ("pdf", "json", "manifest", "zip")
LIMIT = click.option(
    "--limit", type=click.IntRange(min=0), default=100, show_default=True, help="0 for all."
)


@click.group(cls=Verbs)
def case() -> None:
    """Cases: how far they are, what was measured, what was sealed."""


@case.command("list")
@click.option("--kind", type=click.Choice(KINDS), default=None)
@click.option("--status", default="", help="Such as RECEIVED, AUDITING, SEALED.")
@LIMIT
@asks
def listed(client: Client, shown: Shown, *, kind: str | None, status: str, limit: int) -> None:
    """List the cases that the key may see, the newest first."""
    columns = ("reference", "kind", "status", "outcome", "received_at", "due_on")
    shown.rows(client.cases(kind=kind or "", status=status), columns, limit)


@case.command()
@click.argument("reference")
@asks
def show(client: Client, shown: Shown, reference: str) -> None:
    """Show a case."""
    shown.one(client.case(reference))


@case.command()
@click.argument("reference")
@asks
def runs(client: Client, shown: Shown, reference: str) -> None:
    """List what was unlearned for a case."""
    columns = ("version_name", "method", "guarantee", "status", "verdict", "run")
    shown.rows(client.case_runs(reference), columns)


@case.command()
@click.argument("reference")
@asks
def decisions(client: Client, shown: Shown, reference: str) -> None:
    """List what was proposed and decided."""
    columns = ("decision", "state", "refusal_code", "proposed_at", "approved_at")
    shown.rows(client.decisions(reference), columns)


@case.command()
@click.argument("reference")
@click.argument("evidence", default="")
@asks
def evidence(client: Client, shown: Shown, reference: str, evidence: str) -> None:
    """List the looks at each version with their verdicts, or show all of one EVIDENCE."""
    if evidence:
        shown.one(client.evidence_file(reference, evidence))
        return
    columns = ("evidence", "version", "kind", "look", "models_per_arm", "outcome", "reasons")
    shown.rows(client.evidence(reference), columns)


@case.command()
@click.argument("reference")
@click.option("--edition", type=click.Choice(["regulator", "person"]), default="regulator")
@click.option("--form", type=click.Choice(FORMS), default="pdf", help="zip: all to verify it.")
@click.option("--language", type=click.Choice(["en", "fr", "de"]), default="en")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@asks
def report(  # noqa: PLR0913  (the options)
    client: Client,
    shown: Shown,
    *,
    reference: str,
    edition: str,
    form: str,
    language: str,
    out: Path | None,
    force: bool,
) -> None:
    """Download what was sealed about a case."""
    to = out or Path(f"{reference}.{'manifest.json' if form == 'manifest' else form}")
    if to.exists() and not force:
        raise Told(f"{to} is there already; --force replaces it.", Exit.NOT_ASKED)
    with progress(reference) as told:
        client.report(reference, to, edition=edition, form=form, language=language, progress=told)
    shown.tell(str(to), {"path": str(to), "bytes": to.stat().st_size})


@case.command()
@click.argument("reference")
@click.option("--method", type=click.Choice(METHODS), required=True, help="How it was checked.")
@click.option("--level", type=click.Choice(LEVELS), required=True, help="How sure it is.")
@click.option("--doubt", default="", help="What doubt there was: see docs/api.md.")
@asks
def confirm(
    client: Client, shown: Shown, *, reference: str, method: str, level: str, doubt: str
) -> None:
    """Say how staff made sure who asks."""
    shown.one(client.confirm_identity(reference, method=method, level=level, doubt=doubt))


@case.command()
@click.argument("reference")
@click.argument("decision", type=click.File())
@asks
def decide(client: Client, shown: Shown, reference: str, decision: TextIO) -> None:
    """Propose the DECISION in a JSON file (DecisionIn in the API); a second person approves."""
    try:
        proposed = json.load(decision)
    except ValueError as error:
        raise Told(f"{decision.name} is not JSON: {error}.", Exit.NOT_ASKED) from error
    shown.one(client.propose(reference, proposed))


@case.command()
@click.argument("reference")
@click.option("--upheld/--overruled", required=True, help="Propose to erase, or to refuse.")
@click.option("--balance", type=click.File(), required=True, help="A file with the reasons.")
@asks
def objection(
    client: Client, shown: Shown, *, reference: str, upheld: bool, balance: TextIO
) -> None:
    """Decide the balance of an objection, as a proposal; the person reads the reasons."""
    shown.one(client.decide_objection(reference, upheld=upheld, balance=balance.read()))


@case.command()
@click.argument("reference")
@click.option("--reason", type=click.Choice(["COMPLEXITY", "NUMBER"]), required=True)
@click.option("--text", type=click.File(), required=True, help="A file with why, in words.")
@asks
def extend(client: Client, shown: Shown, *, reference: str, reason: str, text: TextIO) -> None:
    """Take longer for an answer, and tell the person why; once for each case."""
    shown.one(client.extend(reference, reason=reason, text=text.read()))


@case.command()
@click.argument("reference")
@click.option("--yes", is_flag=True, help="Do not ask once more.")
@asks
def withdraw(client: Client, shown: Shown, *, reference: str, yes: bool) -> None:
    """Say that the person took the request back."""
    if not yes:
        click.confirm(f"End {reference} as withdrawn?", abort=True, err=True)
    shown.one(client.withdraw(reference))
