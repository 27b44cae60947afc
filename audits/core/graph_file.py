"""``graph.json``: which model versions had learned from the records, and what became of them.

It is drawn from a sealed account, so it says nothing that the record does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.canonical import write_json

if TYPE_CHECKING:
    from audits.core.account import Account

FORMAT = "expunge-graph/1"
_OF_A_VERSION = ("version", "name", "influence", "depth", "forget_count", "forget_digest", "path")
_OF_A_RUN = ("run", "version", "version_digest", "unlearned", "unlearned_digest", "method")


def graph_json(account: Account) -> bytes:
    """Canonical JSON of four lists, all empty for a case in which no model was affected.

    * ``spaces``: the sets of records, each with a count and a digest;
    * ``affected``: the versions, each with the way from the records to it;
    * ``runs``: the edges from a version to what was made of it without the records;
    * ``unknown`` and ``not_affected``: ids of the other versions.
    """
    findings: Any = account.findings
    plan = findings.get("plan", {})
    value = {
        "format": FORMAT,
        "case": account.case,
        "spaces": plan.get("spaces", []),
        "affected": [_of(row, _OF_A_VERSION) for row in plan.get("affected", [])],
        "runs": [_of(row, _OF_A_RUN) for row in findings.get("runs", [])],
        "unknown": plan.get("unknown", []),
        "not_affected": plan.get("not_affected", []),
    }
    return write_json(value)


def _of(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}
