"""What a run comes to, and the block of ``docs/reliability.md`` that says it."""

from __future__ import annotations

from statistics import median
from typing import Any

from tests.faults.results import bad
from tests.machines.losses import WORDS

BEGIN, END = "<!-- machines:begin -->\n", "<!-- machines:end -->\n"


def good(lines: list[dict[str, Any]]) -> bool:
    """Whether every job was taken over, and nothing was lost, done twice or left behind.

    A process that went on after its job was taken back has said so; a line without ``state`` is of
    a run in which one that was still being started had other words.
    """
    rounds = [one for one in lines if one["line"] == "round"]
    lost = [one for one in lines if one["line"] == "loss"]
    taken = all(one["taken"] is not None for one in lost)
    told = all(one["late"] for one in lost if one["survived"] and "state" in one)
    return bool(rounds) and taken and told and not any(map(_bad, rounds))


def _bad(one: dict[str, Any]) -> bool:
    return bool(bad(one["damage"]) or one["troubles"]) or not one["whole"]


def as_markdown(lines: list[dict[str, Any]]) -> str:
    """Return the sentence and the table of a run."""
    rounds = [one for one in lines if one["line"] == "round"]
    lost = [one for one in lines if one["line"] == "loss"]
    told = {kind: _sum(rounds, kind) for kind in ("unended", "twice", "unpaired", "orphans")}
    head = (
        f"{sum(one['cases'] for one in rounds)} cases on {rounds[0]['machines']} machines, a "
        f"lease of {rounds[0]['lease']} s; a machine was lost {len(lost)} times. Lost cases: "
        f"{told['unended']}; done twice: {told['twice']}; events without state, or state without "
        f"events: {told['unpaired']}; files that the sweep does not take: {told['orphans']}; "
        f"cases that staff had to retry: {sum(len(one['retried']) for one in rounds)}.\n\n"
        "| machine | in the middle of | times "
        "| the job is taken back after, median and longest (s) "
        "| process outlived its lease | held back when it wanted to write |\n"
        "|---|---|---:|---|---:|---:|\n"
    )
    kinds = sorted({(one["way"], one["job"]) for one in lost})
    return head + "".join(_line(way, job, lost) for way, job in kinds)


def _line(way: str, job: str, lost: list[dict[str, Any]]) -> str:
    mine = [one for one in lost if (one["way"], one["job"]) == (way, job)]
    taken = [one["taken"] for one in mine if one["taken"] is not None]
    after = f"{round(median(taken), 1)}, {max(taken)}" if taken else "never"
    survived, late = (sum(one[name] for one in mine) for name in ("survived", "late"))
    return f"| {WORDS[way]} | {job} | {len(mine)} | {after} | {survived} | {late} |\n"


def _sum(rounds: list[dict[str, Any]], kind: str) -> int:
    return sum(len(one["damage"].get(kind, [])) for one in rounds)
