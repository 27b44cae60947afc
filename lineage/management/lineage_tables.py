"""Answers of lineage as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Answer = dict[str, Any]


def columns(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    """Return rows under their heads, in columns as wide as they need to be."""
    table = [tuple(str(cell) for cell in row) for row in (head, *rows)]
    widths = [max(len(row[at]) for row in table) for at in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _path(steps: Iterable[dict[str, str]]) -> str:
    return " -> ".join(f"{one['source']} ({one['role'].lower()})" for one in steps)


def affected(answer: Answer) -> Iterator[str]:
    """One line per version, then what is not known."""
    held = ", ".join(f"{count} in {space}" for space, count in answer["records"].items())
    yield f"Records: {held or 'none'}"
    if answer["affected"]:
        yield from columns(
            ("version", "state", "hits", "influence", "first step", "through"),
            (
                (
                    hit["name"],
                    hit["state"].lower(),
                    hit["hits"],
                    hit["influence"].lower(),
                    "" if hit["earliest_step"] is None else hit["earliest_step"],
                    _path(hit["why"]),
                )
                for hit in answer["affected"]
            ),
        )
    else:
        yield "No version is known to have learned from them."
    names = ", ".join(version["name"] for version in answer["possibly_affected"])
    yield f"Possibly affected, since not all that they learned from is known: {names or 'none'}"
    yield f"Not affected: {answer['not_affected']}"


def why(answer: Answer) -> Iterator[str]:
    """The way step by step."""
    title = _title(answer)
    if answer["affected"] is None:
        yield f"{title}: not known, since not all that it learned from is."
    elif not answer["affected"]:
        yield f"{title} did not learn from these records."
    else:
        yield f"{title} learned from {answer['hits']} of the records:"
        for step in answer["why"]:
            yield f"  {step['source']} as {step['role'].lower()} ({step['influence'].lower()})"
        yield f"  {answer['name']}"


def _title(answer: Answer) -> str:
    """Return which version is meant, and what it is where it is listed nowhere else."""
    shadow = ["shadow model"] if answer["kind"] == "SHADOW" else []
    gone = ["destroyed"] if answer["state"] == "DESTROYED" else []
    known = [answer["external_id"]] if answer["external_id"] else []
    notes = ", ".join([*known, *shadow, *gone])
    return f"{answer['name']} ({notes})" if notes else str(answer["name"])


def whatif(answer: Answer) -> Iterator[str]:
    """One line per version."""
    yield from columns(
        ("version", "trained on", "leaves", "stays", "emptied targets", "retrainable"),
        (
            (
                one["name"],
                one["trained_on"],
                one["leaves"],
                one["stays"],
                ", ".join(one["emptied_targets"]),
                "yes" if one["can_be_retrained"] else "no",
            )
            for one in answer["versions"]
        ),
    )


def coverage(answer: Answer) -> Iterator[str]:
    """Counts, for each data set and model as well, then every gap by name."""
    share = answer["share_captured"]
    known = "" if share is None else f", membership known for {share:.1%}"
    yield f"Versions: {answer['versions']}{known}"
    for level, count in answer["captured"].items():
        yield f"  {level.lower()}: {count}"
    for kind, listed in (("data set", answer["data_sets"]), ("model", answer["models"])):
        yield ""
        yield from columns((kind, "versions", "known", "not captured"), _covered(kind, listed))
    yield ""
    for name, gap in answer["gaps"].items():
        shown = ", ".join(gap) or "none" if isinstance(gap, list) else gap
        yield f"{name.replace('_', ' ')}: {shown}"


def _covered(kind: str, listed: Iterable[Answer]) -> Iterator[tuple[object, ...]]:
    for one in listed:
        share = one["share_captured"]
        known = "" if share is None else f"{share:.1%}"
        missing = ", ".join(one["not_captured"])
        yield one[kind.replace(" ", "_")], one["versions"], known, missing


TABLES: dict[str, Callable[[Answer], Iterator[str]]] = {
    "affected": affected,
    "why": why,
    "whatif": whatif,
    "coverage": coverage,
}
