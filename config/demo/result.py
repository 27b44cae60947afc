"""What the demo prints at its end: the machine-readable object and the table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.queries import case_file

if TYPE_CHECKING:
    from pathlib import Path

    from audits.models import ErasureRequest


def summary(request: ErasureRequest, *, folder: Path, verified: str) -> dict[str, Any]:
    """Return the object of ``manage.py demo --json``."""
    return {
        "request": request.reference,
        "status": request.status,
        "affected": [row["version"] for row in request.plan["affected"]],
        "not_affected": request.plan["not_affected"],
        "runs": [_run(run) for run in case_file.ordered_runs(request)],
        "report_json": str(folder / "record.json"),
        "report_pdf": str(folder / "report.pdf"),
        "verify": verified,
    }


def _run(run: Any) -> dict[str, Any]:  # noqa: ANN401  (an UnlearningRun with its relations)
    described = case_file.describe_run(run)
    return {
        "version": described["version"],
        "version_name": described["version_name"],
        "method": described["method"],
        "guarantee": described["guarantee"],
        "verdict": described["verdict"],
        "escalated_from": run.escalated_from.method if run.escalated_from else None,
        "seconds": round(described["seconds"] or 0.0, 3),
        "retrain_seconds": described["retrain_seconds"],
        "retrain_seconds_predicted": described["retrain_seconds_predicted"],
        "forget_set_size": described["forget_set_size"],
    }


def table(result: dict[str, Any]) -> str:
    """Return a short table of what happened to each version."""
    header = ("version", "method", "guarantee", "verdict", "records", "seconds")
    rows = [header, *(_cells(run) for run in result["runs"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cells(run: dict[str, Any]) -> tuple[str, ...]:
    return (
        run["version_name"],
        run["method"],
        run["guarantee"],
        run["verdict"],
        str(run["forget_set_size"]),
        f"{run['seconds']:.1f}",
    )
