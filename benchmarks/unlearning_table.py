"""The cells as a Markdown table and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COLUMNS = (
    ("RetDev", "ret_dev"),
    ("spread", "ret_dev_spread"),
    ("Indisc.", "indiscernibility"),
    ("RTE", "rte"),
    ("RA", "retain_accuracy"),
    ("FA", "forget_accuracy"),
    ("VA", "validation_accuracy"),
    ("TA", "test_accuracy"),
)
REFERENCES = ("retrain", "retrain_other_seed", "original")


def markdown(found: Mapping[str, Any], command: str) -> str:
    """Return the tables, each method in the order of its RetDev, references first."""
    machine = found["machine"]
    lines = [
        "# Unlearning methods, measured",
        "",
        f"`{command}` on {machine['cores']} cores ({machine['processor']}), Python "
        f"{machine['python']}, torch {machine['versions']['torch']}.",
        "",
        "RetDev is 0 for the retrained model; a method counts only against `original`, to which "
        "nothing was done, and `retrain_other_seed`, the noise of retraining. Indiscernibility is "
        "to be compared with that of `retrain`. RTE is the time of retraining over that of the "
        "method. Nothing here is evidence that a person's records were unlearned.",
    ]
    for cell in found["cells"]:
        lines += ["", *_table(cell)]
    for heading, key in (("Left out", "left_out"), ("Failed", "failed")):
        if reasons := found.get(key):
            lines += ["", f"## {heading}", ""]
            lines += [f"* `{name}`: {reason}" for name, reason in reasons.items()]
    return "\n".join(lines) + "\n"


def _table(cell: Mapping[str, Any]) -> list[str]:
    lines = [
        f"## {cell['cell']}",
        "",
        f"{cell['sizes']['retain']} records retained, {cell['sizes']['forget']} forgotten, "
        f"{cell['rows'][0]['initialisations']} initialisations.",
        "",
        "| method | " + " | ".join(name for name, _ in COLUMNS) + " |",
        "|---|" + "---:|" * len(COLUMNS),
    ]
    for row in ordered(cell["rows"]):
        values = ("" if row[key] is None else f"{row[key]:.3f}" for _, key in COLUMNS)
        lines.append(f"| `{row['method']}` | {' | '.join(values)} |")
    if cell["refused"]:
        lines += ["", "Not run:", ""]
        lines += [f"* `{name}`: {reason}" for name, reason in cell["refused"].items()]
    return lines


def ordered(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the references, then the methods, the closest to retraining first."""
    first = [row for row in rows if row["method"] in REFERENCES]
    rest = [row for row in rows if row["method"] not in REFERENCES]
    return first + sorted(rest, key=lambda row: row["ret_dev"])


def figure(found: Mapping[str, Any], path: Path) -> None:
    """Draw RetDev against RTE, one panel a cell, with the two references as lines."""
    import matplotlib as mpl  # noqa: PLC0415  (slow, and seldom asked for)

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    cells = found["cells"]
    drawn, axes = plt.subplots(1, len(cells), figsize=(6 * len(cells), 5), squeeze=False)
    for panel, cell in zip(axes[0], cells, strict=True):
        rows = {row["method"]: row for row in cell["rows"]}
        for name, style in (("original", "--"), ("retrain_other_seed", ":")):
            panel.axhline(rows[name]["ret_dev"], linestyle=style, color="grey", label=name)
        for row in ordered(cell["rows"])[len(REFERENCES) :]:
            panel.plot(row["rte"], row["ret_dev"], "o", color="tab:blue", markersize=4)
            panel.annotate(row["method"], (row["rte"], row["ret_dev"]), fontsize=7)
        panel.set(
            xscale="log",
            yscale="log",
            title=cell["cell"],
            xlabel="RTE: time of retraining / time of the method",
            ylabel="RetDev (0 is retraining)",
        )
        panel.legend(fontsize=7)
    drawn.tight_layout()
    drawn.savefig(path)
    plt.close(drawn)
