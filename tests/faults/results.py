"""The lines that a campaign keeps, what they come to, and the page that shows it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.faults.kinds import KINDS, NAMED
from tests.faults.looking import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")
# Copies of a letter carry the same number; a file without a row is swept when it is a day old.
HARMLESS = frozenset({"copies", "leavings"})
SEEN = (*PHASES, "failed", "end", "none")  # staff must look; all were just answered; nobody there


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file; one that was cut short by an end is left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return lines


def finished(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the injections of rounds that came to their end: only those were looked at."""
    kept = list(lines)
    whole = {line["round"] for line in kept if line["line"] == "round"}
    return [one for one in kept if one["line"] == "injection" and one["round"] in whole]


def injected(lines: Iterable[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Return how often each kind was injected and looked after, by engine and kind."""
    return Counter((one["engine"], one["kind"]) for one in finished(lines))


def met(lines: Iterable[dict[str, Any]], engine: str) -> Counter[tuple[str, str]]:
    """Return how often each kind met each phase on an engine, by kind and phase."""
    mine = [one for one in finished(lines) if one["engine"] == engine]
    return Counter((one["kind"], one["aimed"]) for one in mine)


def bad(damage: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the damage that must not be."""
    return {kind: found for kind, found in damage.items() if found and kind not in HARMLESS}


def good(lines: Iterable[dict[str, Any]]) -> bool:
    """Return whether all that is kept, of this run and of those before, is as it must be."""
    kept = list(lines)
    rounds = [line for line in kept if line["line"] == "round"]
    whole = not any(bad(one["damage"]) or one["troubles"] for one in rounds)
    return whole and all(one["recovered"] is not None for one in finished(kept))


@dataclass
class Row:
    """What one kind of fault did."""

    kind: str
    injected: Counter[str] = field(default_factory=Counter)  # by engine
    phases: Counter[str] = field(default_factory=Counter)
    flying: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)
    unpaired: set[str] = field(default_factory=set)
    orphans: int = 0
    recovered: list[float] = field(default_factory=list)
    stuck: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the row as the last line of a campaign has it."""
        return {
            "fault": self.kind,
            "injected": dict(self.injected),
            "phases": {one: self.phases[one] for one in SEEN if self.phases[one]},
            "in_flight": self.flying,
            "lost": len(self.lost),
            "duplicated": len(self.doubled),
            "unpaired": len(self.unpaired),
            "letters_sent_again": len(self.copies),
            "orphans": self.orphans,
            "recovery_median_s": round(median(self.recovered), 1) if self.recovered else None,
            "recovery_max_s": max(self.recovered) if self.recovered else None,
            "not_recovered_in_time": self.stuck,
        }


def table(lines: list[dict[str, Any]]) -> list[Row]:
    """Return a row for each kind that was injected, in the order of ``KINDS``."""
    rounds = {line["round"]: line for line in lines if line["line"] == "round"}
    rows: dict[str, Row] = {}
    orphans: dict[str, dict[str, int]] = {}
    for one in finished(lines):
        row = rows.setdefault(one["kind"], Row(one["kind"]))
        damage = rounds[one["round"]]["damage"]
        row.injected[one["engine"]] += 1
        row.phases[one["aimed"]] += 1
        row.flying += len(one["flying"])
        for kept, kind in (
            (row.lost, "unended"),
            (row.doubled, "twice"),
            (row.copies, "copies"),
            (row.unpaired, "unpaired"),
        ):
            kept.update(_of(damage.get(kind, []), one["flying"]))
        orphans.setdefault(one["kind"], {})[one["round"]] = len(damage.get("orphans", []))
        if one["recovered"] is None:
            row.stuck += 1
        else:
            row.recovered.append(one["recovered"])
    for kind, row in rows.items():
        row.orphans = sum(orphans[kind].values())
    return [rows[kind.name] for kind in KINDS if kind.name in rows]


def _of(sentences: list[str], flying: dict[str, str]) -> list[str]:
    """Return what was said of cases in flight, and of no case at all."""
    return [
        one
        for one in sentences
        if not one.startswith("ER-") or one.partition(" ")[0].rstrip(":") in flying
    ]


def summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a campaign ends with: the table, and what was asked of whole installations."""
    rounds = [line for line in lines if line["line"] == "round"]
    damage: Counter[str] = Counter()
    for one in rounds:
        damage.update({kind: len(found) for kind, found in one["damage"].items()})
    return {
        "table": [row.as_dict() for row in table(lines)],
        "rounds": len(rounds),
        "cases": sum(one["cases"] for one in rounds),
        "retried_by_staff": Counter(code for one in rounds for code in one["retried"]),
        "damage": dict(damage),
        "troubles": [trouble for one in rounds for trouble in one["troubles"]],
        "releases": _releases(lines),
    }


# How lines name what old workers did; those of the second name counted the same.
_TASKS = ("tasks_of_old_workers", "jobs_of_old_workers")


def _releases(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return which releases worked beside one another, and how much the old one did then."""
    found: dict[str, dict[str, Any]] = {}
    for one in finished(lines):
        if "before" in one:
            new = {"before": one["before"], "migrated": set(), "tasks_of_old_workers": 0}
            row = found.setdefault(one["before"], new)
            row["migrated"] |= set(one["migrated"])
            row["tasks_of_old_workers"] += next(one[key] for key in _TASKS if key in one)
    return [{**row, "migrated": sorted(row["migrated"])} for row in found.values()]


def as_markdown(lines: list[dict[str, Any]]) -> str:
    """Return the table and what surrounds it."""
    head = (
        "| fault | injected (SQLite, PostgreSQL) | at phases | cases in flight | lost | twice | "
        "events without state, or state without events | letters that left again | orphans | "
        "recovery, median and longest (s) |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(_line(row) for row in table(lines)) + f"\n\n{_around(lines)}\n"


def _around(lines: list[dict[str, Any]]) -> str:
    """Return what holds for the whole campaign, in a sentence."""
    said = summary(lines)
    codes = sorted(said["retried_by_staff"].items())
    why = f" ({', '.join(f'{code} {count}' for code, count in codes)})" if codes else ""
    troubles = f" Troubles: {len(said['troubles'])}." if said["troubles"] else ""
    return (
        f"{said['cases']} cases in {said['rounds']} installations were answered; staff pressed "
        f"*Retry* {sum(said['retried_by_staff'].values())} times{why}.{troubles}"
        + "".join(map(_beside, said["releases"]))
    )


def _beside(met: dict[str, Any]) -> str:
    """Return what old workers did on new tables, in a sentence."""
    steps = ", ".join(f"`{one}`" for one in met["migrated"]) or "none"
    return (
        f" Workers of the release before (`{met['before']}`) ended {met['tasks_of_old_workers']} "
        f"tasks of jobs beside the new one, on its tables (new migrations: {steps})."
    )


def _line(row: Row) -> str:
    said = row.as_dict()
    times = ", ".join(str(row.injected[engine]) for engine in ENGINES)
    phases = ", ".join(f"{phase} {count}" for phase, count in said["phases"].items())
    recovery = f"{said['recovery_median_s']}, {said['recovery_max_s']}" if row.recovered else "-"
    stuck = f" ({row.stuck} not in time)" if row.stuck else ""
    counted = ("in_flight", "lost", "duplicated", "unpaired", "letters_sent_again", "orphans")
    counts = " | ".join(str(said[name]) for name in counted)
    return f"| {NAMED[row.kind].words} | {times} | {phases} | {counts} | {recovery}{stuck} |"
