"""The registers as tables of text: one page, one CSV and one JSON file each, without people."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits import key_register
from audits.core.canonical import sha256
from audits.core.events import instant
from audits.queries import case_register
from audits.queries.attack_register import attack_register
from audits.queries.rules import cases_under, rules_kept
from lineage.core.plain_cell import plain_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    Row = Mapping[str, str]


AT_ONCE = 200  # rows of a part of a file


@dataclass(frozen=True, kw_only=True)
class Register:
    """A register and its rows in a period of whole days in UTC, both included; None is open.

    Files have all ``columns``; pages have those of ``shown``, some rows at a time.
    """

    title: str
    lead: str
    columns: tuple[str, ...]
    shown: tuple[str, ...]
    rows: Callable[[date | None, date | None], Sequence[Row]]
    has_period: bool = True


def as_json(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the parts of a list of objects with the same names."""
    parts, before = iter(rows), "[\n"
    while some := list(islice(parts, AT_ONCE)):
        text = json.dumps([dict(one) for one in some], indent=2, ensure_ascii=False)
        yield before + text[2:-2]
        before = ",\n"
    yield "[]" if before.startswith("[") else "\n]"


def as_csv(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    """Yield the parts of a table; no cell is read as a formula by a spreadsheet."""
    text, parts = io.StringIO(), iter(rows)
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    while some := list(islice(parts, AT_ONCE)):
        for row in some:
            table.writerow({name: plain_cell(value) for name, value in row.items()})
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cases(since: date | None, until: date | None) -> Sequence[Row]:
    return case_register.case_register(since=since, until=until)


def _attacks(since: date | None, until: date | None) -> Iterable[Row]:
    for one in attack_register(since=since, until=until):
        attack = one.attack
        values = (
            *(attack.name, attack.title, attack.version, attack.asks, attack.assumes),
            *(attack.paper, str(one.results), str(one.runs), one.words),
        )
        yield dict(zip(ATTACKS.columns, values, strict=True))


def _rules(since: date | None, until: date | None) -> Iterable[Row]:
    kept = rules_kept()
    under = cases_under(kept)
    for one in kept:
        ended = one.until is not None and since is not None and one.until.date() < since
        if ended or (until is not None and one.rules.since.date() > until):
            continue
        rules, cases = one.rules, under[one.rules]
        values = (
            *(rules.kind, str(rules.number), rules.digest, instant(rules.since)),
            instant(one.until) if one.until else "",
            *(str(len(cases)), " ".join(cases)),
            json.dumps(rules.content, sort_keys=True, ensure_ascii=False),
        )
        yield dict(zip(RULES.columns, values, strict=True))


def _keys(_since: date | None, _until: date | None) -> Iterable[Row]:
    for one in key_register.known_keys():
        in_pem = one.role in key_register.IN_PEM
        shown = f"SHA-256 of the PEM: {sha256(one.key.encode())}" if in_pem else one.key
        yield dict(zip(KEYS.columns, (one.role, shown, one.since, one.until), strict=True))


CASES = Register(
    title="Cases",
    lead="Every case received in a period, with dates and outcomes, and nobody's name.",
    columns=case_register.COLUMNS,
    shown=("reference", "kind", "received_on", "due_on", "status", "outcome", "sealed_on"),
    rows=_cases,
)
ATTACKS = Register(
    title="Attacks",
    lead="Every attack that is known: what it assumes, in how many results and runs of a period "
    "it was made, and why it was not.",
    columns=(
        *("attack", "title", "version", "asks_of", "assumes", "published_in"),
        *("results", "runs", "not_run_because"),
    ),
    shown=("title", "assumes", "results", "runs", "not_run_because"),
    rows=lambda since, until: list(_attacks(since, until)),
)
RULES = Register(
    title="Policies and workflow",
    lead="Every version of the rules that cases are decided by, from when until when, and the "
    "cases that were decided under it.",
    columns=("rules", "number", "digest", "since", "until", "cases", "references", "content"),
    shown=("rules", "number", "digest", "since", "until", "cases"),
    rows=lambda since, until: list(_rules(since, until)),
)
KEYS = Register(
    title="Keys",
    lead="Every key that signs or signed here, and its period. Keys of the log and of statements "
    "are as verifiers take them; of the others the digest is shown.",
    columns=("role", "key", "since", "until"),
    shown=("role", "key", "since", "until"),
    rows=lambda since, until: list(_keys(since, until)),
    has_period=False,
)
REGISTERS: Mapping[str, Register] = MappingProxyType(
    {"cases": CASES, "attacks": ATTACKS, "rules": RULES, "keys": KEYS}
)
