"""What became of the inputs, as JSON and as a table of docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fuzzing.parser import Parser
    from tests.fuzzing.running import Outcome

MARKS = {
    "expunge-fuzzing-1": ("<!-- fuzzing:begin -->", "<!-- fuzzing:end -->"),
    "expunge-fuzzing-guided-1": ("<!-- guided:begin -->", "<!-- guided:end -->"),
}
BLIND, GUIDED = MARKS
TIMES = "Times are of a machine that did other work as well."


def table(
    outcomes: Sequence[Outcome], parsers: Mapping[str, Parser], *, seed: int, by: str | None = None
) -> dict[str, Any]:
    """Return what is recorded of a run; ``by`` is the program that guided it."""
    rows = [
        {
            "reads": parsers[one.name].reads,
            "kind": parsers[one.name].kind,
            "limit_ms": 1000 * parsers[one.name].seconds,
            "limit_mb": parsers[one.name].megabytes,
            **one.as_dict(),
        }
        for one in outcomes
    ]
    return {
        **({"format": GUIDED, "by": by} if by else {"format": BLIND}),
        "seed": seed,
        "machine": machine(),
        "inputs": sum(one.inputs for one in outcomes),
        "failures": sum(sum(one.failed.values()) for one in outcomes),
        "parsers": rows,
    }


def written(page: str, found: Mapping[str, Any]) -> str:
    """Return a page with the table between its marks. Raises ValueError if it has none."""
    begin, end = MARKS[found["format"]]
    if begin not in page or end not in page:
        raise ValueError(f"The page has no marks {begin} and {end} to write between.")
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n{section(found)}\n{end}{after}"


def section(found: Mapping[str, Any]) -> str:
    """Return the table and its head, in Markdown."""
    guided = found["format"] == GUIDED
    lines = [
        _head(found) + (_reached(found) if guided else TIMES),
        "",
        "| parser | read by | inputs | values | refused | failed | "
        + ("edges | of them new |" if guided else "slowest, ms | memory, MiB |"),
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += map(_row, found["parsers"])
    return "\n".join(lines)


def _head(found: Mapping[str, Any]) -> str:
    told = found["machine"]
    by = f", guided by {found['by']}" if "by" in found else ""
    return (
        f"{found['inputs']:,} inputs to {len(found['parsers'])} parsers "
        f"(seed {found['seed']}{by}): {found['failures']:,} failures. Python {told['python']}, "
        f"Django {told['versions']['django']}, {told['cores']} cores. "
    )


def _reached(found: Mapping[str, Any]) -> str:
    rows = found["parsers"]
    before, after = (sum(one[name] for one in rows) for name in ("edges_of_seeds", "edges"))
    more = sum(one["edges"] > one["edges_of_seeds"] for one in rows)
    return (
        f"Summed over the parsers, they passed {after:,} edges of our code, {after - before:,} of "
        f"them (in {more} parsers) passed by no good input."
    )


def _row(row: Mapping[str, Any]) -> str:
    if "edges" in row:
        last = f"{row['edges']:,} | {row['edges'] - row['edges_of_seeds']:,} |"
    else:
        last = f"{row['slowest_ms']:g} | {row['grown_mb']} |"
    return (
        f"| {row['name']} | `{row['reads']}` | {row['inputs']:,} | {row['values']:,} "
        f"| {sum(row['refused'].values()):,} | {sum(row['failed'].values()):,} | {last}"
    )
