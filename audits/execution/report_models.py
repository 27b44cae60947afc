"""The report on model versions: how the records reached them and what each run did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_retold import quoted
from audits.execution.report_speech import counted, day, decimal, inside, moment, say, seconds
from audits.execution.report_words import code, plain
from audits.queries.ends import End
from unlearning.models import UnlearningRun
from unlearning.queries.catalogue import titles
from unlearning.services.runs import NEWTON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Run = dict[str, Any]
UNFINISHED = (End.OPEN, End.ROLLED_BACK)
UNTREATED = "Nothing was done to the version yet."


@dataclass(frozen=True, kw_only=True)
class TreatedVersion:
    """A model version with its runs in the order in which they were made, and how it ended.

    The end counts, and where the record has none, as those of earlier releases, the last run. A
    version that was excepted or destroyed before any run has none.
    """

    name: str
    runs: tuple[Run, ...]
    end: Mapping[str, Any] | None = None

    @property
    def final(self) -> Run:
        """Return the last run; only of a version that has one."""
        return self.runs[-1]

    @property
    def kind(self) -> str:
        """Return what became of it.

        ``excepted``, ``destroyed``, ``left``, ``bounded``, ``changed``, ``again`` or ``open``.
        """
        ended = self.end["end"] if self.end else ""
        if ended == End.EXCEPTED:
            return "excepted"
        if not self.runs:
            return "destroyed" if ended == End.DESTROYED else "open"
        return "open" if ended in UNFINISHED else _kind(self.final)

    @property
    def result(self) -> str:
        """Return the result: one of the five words."""
        if self.kind == "excepted":
            return words.REFUSED
        if not self.runs:
            return words.DONE if self.kind == "destroyed" else words.NOT_POSSIBLE
        if self.final["verdict"]:
            return words.VERDICTS.get(self.final["verdict"], (words.INCONCLUSIVE, ""))[0]
        return words.NOT_POSSIBLE

    @property
    def treatment(self) -> str:
        """Return what was done, as one sentence."""
        if self.end and self.kind == "excepted":
            return say(
                "The version stays as it is until %(day)s, under an exception (%(code)s).",
                day=day(self.end["until"]),
                code=self.end["exception"],
            )
        if not self.runs:
            return say("The version was destroyed." if self.kind == "destroyed" else UNTREATED)
        done = _treatment(self.final)
        earlier = len(self.runs) - 1
        if not earlier:
            return done
        tried = counted(
            earlier,
            "%(n)s earlier attempt did not settle it.",
            "%(n)s earlier attempts did not settle it.",
        )
        return f"{done} {tried}"


def treated_versions(findings: Mapping[str, Any]) -> list[TreatedVersion]:
    """Return the affected versions in the order of the plan, those without a run at the end."""
    by_version: dict[str, list[Run]] = {}
    for run in findings["runs"]:
        by_version.setdefault(run["version"], []).append(run)
    ended = {row["version"]: row for row in findings.get("ends", ())}
    return [
        TreatedVersion(
            name=runs[-1]["version_name"] if runs else ended[version]["version_name"],
            runs=tuple(runs),
            end=ended.get(version),
        )
        for version, runs in (
            by_version | {one: [] for one in ended if one not in by_version}
        ).items()
    ]


def _kind(run: Run) -> str:
    if not run["guarantee"] or run["status"] != "CLEARED":
        return "open"
    if run["method"] == "destroy":
        return "destroyed"
    if run["method"] == "no_action":
        return "left"
    if run["guarantee"] == "CERTIFIED":
        return "bounded"
    return "changed" if run["guarantee"] == "APPROXIMATE" else "again"


def paths(findings: Mapping[str, Any]) -> list[list[str]]:
    """Return a row per affected version: name, records, kind of influence, a shortest path."""
    return [
        [
            str(row.get("name", row["version"])),
            plain(row.get("forget_count", say("not recorded"))),
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
        return say("The version was destroyed.")
    if run["method"] == "retrain_outside":
        return say("Replaced by a version trained again outside, without the records.")
    if run["guarantee"] == "CERTIFIED":
        return _bounded(run)
    if run["guarantee"] == "EXACT":
        return say(words.EXACTLY.get(run["method"], words.EXACTLY["retrain"]))
    if run["guarantee"]:
        return say("Changed by the method %(method)s, then attacked.", method=run["method"])
    why = run["error_code"] or run["status"]
    return say("The method %(method)s did not finish (%(why)s).", method=run["method"], why=why)


def _bounded(run: Run) -> str:
    said = run["report"]
    if run["method"] == "no_action":
        return say(
            "The version was left as it is: its training promised epsilon %(epsilon)s and delta "
            "%(delta)s, which the policy accepts.",
            epsilon=decimal(f"{said['epsilon']:.3g}"),
            delta=decimal(f"{said['delta']:g}"),
        )
    if run["method"] == NEWTON:
        budget = said["stop_reason"]
        return say("The records were taken out within a budget: %(budget)s.", budget=budget)
    done = say(words.EXACTLY.get(run["method"], words.EXACTLY["retrain"]))
    return f"{done} {say('Other records were taken out of its base within a bound.')}"


def _path(steps: Sequence[Mapping[str, Any]], end: str) -> str:
    parts = [
        f"{step['source']} \u2192 ({inside(words.said(step['role']))}, "
        f"{inside(words.said(str(step['influence'])))}) \u2192"
        for step in steps
    ]
    return " ".join([*parts, end]) if parts else say("not recorded")


def _titles() -> dict[str, str]:
    return {name: say(title) for name, title in (titles() | words.UNTITLED).items()}


def _card(run: Run, titles: Mapping[str, str]) -> dict[str, Any]:
    verdict = words.VERDICTS.get(run["verdict"], ("", ""))[1]
    return {
        "title": f"{run['version_name']}: {titles.get(run['method'], run['method'])}",
        "rows": [*_before(run), *_method(run, titles), *_after(run)],
        "verdict": f"{words.said(run['verdict'])}. {say(verdict)}"
        if run["verdict"]
        else say("No verdict."),
        "reasons": list(map(quoted, run["reasons"])),
    }


def _before(run: Run) -> list[list[Any]]:
    rows: list[list[Any]] = [
        [say("Run"), code(run["run"])],
        [say("Weights before (SHA-256)"), code(run["version_digest"])],
        [say("Records to unlearn"), plain(run["forget_set_size"])],
        [say("Forget set (digest)"), code(run["forget_digest"])],
    ]
    if run["base"]:
        rows.append([say("Rebuilt on the unlearned base"), code(run["base"])])
    if run["escalated_from"]:
        rows.append([say("Follows the run"), code(run["escalated_from"])])
    return rows


def _method(run: Run, titles: Mapping[str, str]) -> list[list[Any]]:
    promise = say(words.PROMISES.get(run["guarantee"], "none recorded"))
    report = {name: value for name, value in run["report"].items() if name in _SHOWN}
    return [
        [say("Method"), f"{titles.get(run['method'], run['method'])} ({run['method']})"],
        [say("Definition"), promise],
        [
            say("Settings"),
            plain(run["hyperparameters"]) if run["hyperparameters"] else say("of the recipe"),
        ],
        *_tuned(run),
        *([words.said(name), plain(value)] for name, value in report.items()),
        [say("Time taken"), seconds(run["seconds"])],
        [say("Time of retraining, measured"), seconds(run["retrain_seconds"])],
        [say("Time of retraining, predicted"), seconds(run["retrain_seconds_predicted"])],
    ]


def _tuned(run: Run) -> list[list[Any]]:
    found = run.get("tuning")
    if not found:
        return []
    return [
        [
            say("Settings found by a search"),
            say("version %(version)s, %(trials)s trials", **found),
        ],
        [say("What was frozen (SHA-256)"), code(found["artefact"])],
        [say("Study (SHA-256)"), code(found["study"])],
    ]


_BOUND = ("epsilon", "delta", "people")
_SHOWN = ("claim", "edited", "trained", "parameters", "read", "stop_reason", "seed", *_BOUND)


def _after(run: Run) -> list[list[Any]]:
    if not run["unlearned"]:
        problem = f" ({run['error_code']})" if run["error_code"] else ""
        state = say("%(state)s; no new version", state=f"{_state(run)}{problem}")
        return [*_stood_in(run), [say("State of the run"), state]]
    return [
        *_stood_in(run),
        [say("New version"), run["unlearned_name"]],
        [say("Weights after (SHA-256)"), code(run["unlearned_digest"])],
        [say("State of the run"), _state(run)],
        *_shown(run.get("release")),
    ]


def _shown(release: Mapping[str, str] | None) -> list[list[Any]]:
    if not release:
        return []
    return [[say("In use"), words.said(release["state"])], ["", quoted(release["reason"])]]


def _stood_in(run: Run) -> list[list[Any]]:
    if not (found := run.get("stood_in")):
        return []
    held = found.get("release") == "HELD"
    return [
        [
            say("Held until a result could serve") if held else say("Served until a result could"),
            found["name"],
        ],
        [say("Its weights (SHA-256)"), code(found["digest"])],
        *([[say("Release gate"), quoted(found["reason"])]] if "reason" in found else []),
    ]


def _state(run: Run) -> str:
    return say(str(UnlearningRun.Status(run["status"]).label))


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
