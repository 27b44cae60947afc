"""The report on model versions: how the records reached them and what each run did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_words import code, counted, moment, plain, seconds
from unlearning.models import UnlearningRun
from unlearning.queries.catalogue import titles
from unlearning.services.runs import NEWTON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Run = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TreatedVersion:
    """A model version with its runs in the order in which they were made; the last one counts."""

    name: str
    runs: tuple[Run, ...]

    @property
    def final(self) -> Run:
        """Return the run that settled the version."""
        return self.runs[-1]

    @property
    def result(self) -> str:
        """Return the result in a few words."""
        if self.final["verdict"]:
            return words.VERDICTS.get(self.final["verdict"], (words.INCONCLUSIVE, ""))[0]
        return "not done"

    @property
    def treatment(self) -> str:
        """Return what was done, as one sentence."""
        done = _treatment(self.final)
        earlier = len(self.runs) - 1
        return (
            f"{done} {counted(earlier, 'earlier attempt')} did not settle it." if earlier else done
        )


def treated_versions(findings: Mapping[str, Any]) -> list[TreatedVersion]:
    """Return the affected versions in the order of the plan."""
    by_version: dict[str, list[Run]] = {}
    for run in findings["runs"]:
        by_version.setdefault(run["version"], []).append(run)
    return [
        TreatedVersion(name=runs[-1]["version_name"], runs=tuple(runs))
        for runs in by_version.values()
    ]


def paths(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per affected version: name, records, kind of influence, a shortest path."""
    return [
        [
            str(row.get("name", row["version"])),
            plain(row.get("forget_count", "not recorded")),
            words.said(str(row.get("influence", "not recorded"))),
            _path(row.get("path", []), str(row.get("name", row["version"]))),
        ]
        for row in findings["plan"].get("affected", [])
    ]


def cards(findings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one card per run, failed ones included: nothing that was tried is left out."""
    titles = _titles()
    return [_card(run, titles) for run in findings["runs"]]


def _treatment(run: Run) -> str:
    if run["method"] == "destroy":
        return "The version was destroyed."
    if run["method"] == "retrain_outside":
        return "Replaced by a version trained again outside, without the records."
    if run["guarantee"] == "CERTIFIED":
        return _bounded(run)
    if run["guarantee"] == "EXACT":
        return words.EXACTLY.get(run["method"], words.EXACTLY["retrain"])
    if run["guarantee"]:
        return f"Changed by the method {run['method']}, then attacked."
    return f"The method {run['method']} did not finish ({run['error_code'] or run['status']})."


def _bounded(run: Run) -> str:
    said = run["report"]
    if run["method"] == "no_action":
        return (
            "The version was left as it is: its training promised epsilon "
            f"{said['epsilon']:.3g} and delta {said['delta']:g}, which the policy accepts."
        )
    if run["method"] == NEWTON:
        return f"The records were taken out within a budget: {said['stop_reason']}."
    done = words.EXACTLY.get(run["method"], words.EXACTLY["retrain"])
    return f"{done} Other records were taken out of its base within a bound."


def _path(steps: Sequence[Mapping[str, Any]], end: str) -> str:
    parts = [
        f"{step['source']} \u2192 ({words.said(step['role']).lower()}, "
        f"{str(step['influence']).lower()}) \u2192"
        for step in steps
    ]
    return " ".join([*parts, end]) if parts else "not recorded"


def _titles() -> dict[str, str]:
    return titles() | words.UNTITLED


def _card(run: Run, titles: Mapping[str, str]) -> dict[str, Any]:
    verdict = words.VERDICTS.get(run["verdict"], ("", ""))[1]
    return {
        "title": f"{run['version_name']}: {titles.get(run['method'], run['method'])}",
        "rows": [*_before(run), *_method(run, titles), *_after(run)],
        "verdict": f"{words.said(run['verdict'])}. {verdict}" if run["verdict"] else "No verdict.",
        "reasons": list(run["reasons"]),
    }


def _before(run: Run) -> list[list[Any]]:
    rows: list[list[Any]] = [
        ["Run", code(run["run"])],
        ["Weights before (SHA-256)", code(run["version_digest"])],
        ["Records to unlearn", plain(run["forget_set_size"])],
        ["Forget set (digest)", code(run["forget_digest"])],
    ]
    if run["base"]:
        rows.append(["Rebuilt on the unlearned base", code(run["base"])])
    if run["escalated_from"]:
        rows.append(["Follows the run", code(run["escalated_from"])])
    return rows


def _method(run: Run, titles: Mapping[str, str]) -> list[list[Any]]:
    promise = words.PROMISES.get(run["guarantee"], "none recorded")
    report = {name: value for name, value in run["report"].items() if name in _SHOWN}
    return [
        ["Method", f"{titles.get(run['method'], run['method'])} ({run['method']})"],
        ["Definition", promise],
        ["Settings", plain(run["hyperparameters"]) if run["hyperparameters"] else "of the recipe"],
        *_tuned(run),
        *([words.said(name), plain(value)] for name, value in report.items()),
        ["Time taken", seconds(run["seconds"])],
        ["Time of retraining, measured", seconds(run["retrain_seconds"])],
        ["Time of retraining, predicted", seconds(run["retrain_seconds_predicted"])],
    ]


def _tuned(run: Run) -> list[list[Any]]:
    found = run.get("tuning")
    if not found:
        return []
    return [
        ["Settings found by a search", f"version {found['version']}, {found['trials']} trials"],
        ["What was frozen (SHA-256)", code(found["artefact"])],
        ["Study (SHA-256)", code(found["study"])],
    ]


_BOUND = ("epsilon", "delta", "people")
_SHOWN = ("claim", "edited", "trained", "parameters", "read", "stop_reason", "seed", *_BOUND)


def _after(run: Run) -> list[list[Any]]:
    if not run["unlearned"]:
        problem = f" ({run['error_code']})" if run["error_code"] else ""
        return [*_stood_in(run), ["State of the run", f"{_state(run)}{problem}; no new version"]]
    return [
        *_stood_in(run),
        ["New version", run["unlearned_name"]],
        ["Weights after (SHA-256)", code(run["unlearned_digest"])],
        ["State of the run", _state(run)],
        *_shown(run.get("release")),
    ]


def _shown(release: Mapping[str, str] | None) -> list[list[Any]]:
    if not release:
        return []
    return [["In use", f"{words.said(release['state'])}: {release['reason']}"]]


def _stood_in(run: Run) -> list[list[Any]]:
    if not (found := run.get("stood_in")):
        return []
    held = found.get("release") == "HELD"
    return [
        [
            "Held until a result could serve" if held else "Served until a result could",
            found["name"],
        ],
        ["Its weights (SHA-256)", code(found["digest"])],
        *([["Release gate", found["reason"]]] if "reason" in found else []),
    ]


def _state(run: Run) -> str:
    return str(UnlearningRun.Status(run["status"]).label)


def artefact_rows(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return the destroyed files: kind and digest."""
    return [
        [words.said(row["kind"]), code(row["digest"])] for row in findings["erasure"]["artefacts"]
    ]


def letter_rows(events: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """Return the letters logged before the seal: time, code, digest of the text."""
    return [
        [moment(event["at"]), words.said(event["data"]["letter"]), code(event["data"]["digest"])]
        for event in events
        if event["type"] == "letter_sent"
    ]
