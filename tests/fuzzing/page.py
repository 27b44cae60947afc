"""What became of the inputs, as JSON and as a table of docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fuzzing.parser import Parser
    from tests.fuzzing.running import Outcome

BEGIN, END = "<!-- fuzzing:begin -->", "<!-- fuzzing:end -->"


def table(
    outcomes: Sequence[Outcome], parsers: Mapping[str, Parser], *, seed: int
) -> dict[str, Any]:
    """Return what is recorded of a run."""
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
        "format": "expunge-fuzzing-1",
        "seed": seed,
        "machine": machine(),
        "inputs": sum(one.inputs for one in outcomes),
        "failures": sum(sum(one.failed.values()) for one in outcomes),
        "parsers": rows,
    }


def written(page: str, found: Mapping[str, Any]) -> str:
    """Return a page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{section(found)}\n{END}{after}"


def section(found: Mapping[str, Any]) -> str:
    """Return the table and its head, in Markdown."""
    told = found["machine"]
    versions = told["versions"]
    lines = [
        f"{found['inputs']:,} inputs to {len(found['parsers'])} parsers (seed {found['seed']}): "
        f"{found['failures']:,} failures. Python {told['python']}, Django {versions['django']}, "
        f"{told['cores']} cores. Times are of a machine that did other work as well.",
        "",
        "| parser | read by | inputs | values | refused | failed | slowest, ms | memory, MiB |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += map(_row, found["parsers"])
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    return (
        f"| {row['name']} | `{row['reads']}` | {row['inputs']:,} | {row['values']:,} "
        f"| {sum(row['refused'].values()):,} | {sum(row['failed'].values()):,} "
        f"| {row['slowest_ms']:g} | {row['grown_mb']} |"
    )
