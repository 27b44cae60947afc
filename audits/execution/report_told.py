"""What the report says of the ends of versions, of deployments and of whom was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.execution.report_speech import moment, say, short_day
from audits.execution.report_words import DONE, INCONCLUSIVE, RESIDUAL, code, said
from audits.queries.ends import WORDS, End

if TYPE_CHECKING:
    from collections.abc import Mapping

OLD = (
    "This record was sealed by a release that kept no register of recipients (Art. 19, Art. "
    "17(2)); see the files of the controller."
)
NOBODY = "Nobody in the registers had an affected data set or version."


def told_view(findings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ends of versions, and sentences about whom was told and what they answered.

    Records from before the registers say nothing, which the report says.
    """
    return {"ends": ends(findings), "told": _told(findings)}


def told_area(findings: Mapping[str, Any]) -> tuple[str, str]:
    """Return whether all were told and acknowledged it, and in how many words."""
    if "told" not in findings:
        known = knows_registers(findings)
        return say(DONE if known else INCONCLUSIVE), say(NOBODY if known else OLD)
    told = findings["told"]
    left = len(told["not_acknowledged"])
    everybody = len(told["notices"]) + len(told["deployments"])
    text = say(
        "%(all)s in the registers, %(left)s not acknowledged when this was sealed.",
        all=everybody,
        left=left,
    )
    return say(RESIDUAL if left else DONE), text


def knows_registers(findings: Mapping[str, Any]) -> bool:
    """Return whether the release that sealed the record kept registers of recipients.

    Nothing is recorded of them where nobody had to be told. ``answers`` came after the registers.
    """
    return "ends" in findings or "answers" in findings


def ends(findings: Mapping[str, Any]) -> list[list[Any]]:
    """Return one row for each affected version: name, what became of it, the verdict."""
    return [
        [
            row["version_name"],
            say(WORDS[End(row["end"])])
            + (f" ({short_day(row['until'])})" if row["until"] else ""),
            (said(row["verdict"]) if row["verdict"] else row["exception"]) or say("none"),
            code(row["became"]),
        ]
        for row in findings.get("ends", ())
    ]


def _told(findings: Mapping[str, Any]) -> list[str]:
    if "told" not in findings:
        return [say(NOBODY if knows_registers(findings) else OLD)]
    told = findings["told"]
    found = [
        f"{said(one['role'])} {one['id']}: {said(one['state'])}"
        f"{' (' + moment(one['sent_at']) + ')' if one['sent_at'] else ''}."
        for one in told["notices"]
    ]
    found += [_place(one) for one in told["deployments"]]
    if left := told["not_acknowledged"]:
        found.append(
            say("Not acknowledged when this record was sealed: %(who)s.", who=", ".join(left))
        )
    if told["readers_in_no_register"]:
        found.append(
            say(
                "%(count)s reader(s) fetched affected versions over the API and stand in no "
                "register.",
                count=told["readers_in_no_register"],
            )
        )
    return found


def _place(one: Mapping[str, Any]) -> str:
    if one["acknowledged_at"]:
        state = say("acknowledged as gone %(when)s", when=moment(one["acknowledged_at"]))
    elif one["switched_at"]:
        state = say("switched over %(when)s, not acknowledged", when=moment(one["switched_at"]))
    else:
        state = say("still deployed") if one["open"] else say("taken down, not acknowledged")
    return say(
        "%(version)s at %(place)s: %(state)s.",
        version=one["version_name"],
        place=one["place"],
        state=state,
    )
