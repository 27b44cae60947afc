"""Who may do what, as a page for people.

``python -m audits.core.role_page`` writes the tables of ``docs/roles.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.core.roles import ROLES, Right, holders

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
BEGIN, END = "<!-- roles: begin, generated -->", "<!-- roles: end -->"


@dataclass(frozen=True)
class Action:
    """What somebody of the staff does, in words, and the rights of which one is enough."""

    words: str
    rights: tuple[Right, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that may do it."""
        return holders(*self.rights)


def _each(right: Right, **words: str) -> dict[str, Action]:
    return {name: Action(said, (right,)) for name, said in words.items()}


# By the name of the function of ``audits.workflow``.
ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        **_each(
            Right.ENTER,
            enter="enter a request that came by post, telephone, e-mail or in person",
            see_mandate="record the mandate of an agent",
            receive_information="enter what a person answered on paper or by telephone",
            choose_route="choose whether a person is answered by e-mail or by post",
        ),
        **_each(
            Right.HANDLE,
            check_identity="record a check of identity",
            note_proof_destroyed="record that a document that was shown is destroyed",
            ask_information="ask a person for more",
            take_question_back="stop waiting for what a person was asked",
            close_unidentified="close a case whose person cannot be identified",
            accept="propose to accept a request",
            refuse="propose to refuse a request",
            decide_objection="decide an objection, as a proposal",
            erase_excepted="open the case that erases what an exception kept",
            note_place_erased="record that a place was erased from whose exception ended",
            plan_lift="lift a restriction, after notice",
            note_notice="record that this notice was posted",
            extend="extend the time for an answer, with the notice to the person",
            tell_of_extension="send this notice again",
            pause_clock="stop the clock of a case",
            resume_clock="let the clock go on",
            send_staff_letter="send a letter that goes with no decision",
            try_letter_again="send a letter again that failed",
            post_letter="record that a letter was posted",
            decide_duplicate="keep a duplicate or erase it with the case",
            decide_duplicates="do so for several",
            open_case="start a case of the operator's own",
            choose_records="choose the records of its forget set",
            propose_forget_set="propose the forget set",
            drop_case="drop a case of the operator's own",
            export="write the report of a sealed case again",
        ),
        "return_forget_set": Action(
            "have a proposed forget set chosen anew", (Right.HANDLE, Right.REVIEW)
        ),
        "preview_plan": Action(
            "ask what would be done with a version if somebody asked today",
            (Right.HANDLE, Right.OPERATE),
        ),
        **_each(
            Right.REVIEW,
            approve_decision="approve a proposed decision",
            return_decision="send a proposed decision back",
            approve_forget_set="approve a forget set",
            approve_exception="approve that a version stays",
        ),
        **_each(
            Right.OPERATE,
            retry="try a stopped case again",
            cancel_job="stop a job of a case that waits or runs",
            take_over="decide about a version instead of trying it again",
            destroy_version="destroy a version that cannot be trained again",
            use_outside_version="name a version that was trained outside",
            release_held="put a held version into use",
            propose_exception="propose that an affected version stays",
            drop_exception="take this proposal back",
            pause_queue="pause a queue of jobs",
            resume_queue="let a paused queue go on",
            cancel_work="stop a job that no case waits for",
            retry_work="try a job again that no case waits for",
            set_owner="say whose a model is",
            lift_budget="lift the budget of an owner for a case",
        ),
        **{
            name: Action(words, (Right.OPERATE, Right.ADMINISTER))
            for name, words in {
                "pause_webhook": "pause a webhook",
                "resume_webhook": "let a paused webhook go on",
                "test_webhook": "send a test message to a webhook",
                "send_message_again": "send a message of a webhook again",
            }.items()
        },
        **_each(
            Right.REGISTER,
            place_hold="place a legal hold",
            release_hold="release a legal hold",
        ),
        **_each(
            Right.ADMINISTER,
            publish_letter="publish a text of a letter",
            restore_letter="use the built-in text of a letter again",
            propose_policy="propose a change of the policy values",
            approve_policy="approve a change of the policy that somebody else proposed",
            return_policy="send a proposed change of the policy back",
            withdraw_policy="take one's own proposed change of the policy back",
            keep_longer="keep a closed case longer than its outcome says",
            set_budget="set what may be computed for an owner of models",
        ),
    }
)
# What is asked by services that wake no case.
BESIDE = (
    Action("read cases, evidence, letters, registers, models and the log", (Right.READ,)),
    Action("release or drop a record that is alike under two labels", (Right.HANDLE,)),
    Action("open the contents of records that are decided about", (Right.HANDLE, Right.REVIEW)),
    Action("note what recipients of a notice answered, or why there is none", (Right.HANDLE,)),
    Action("destroy a version outside a case; claim that one is anonymous", (Right.OPERATE,)),
    Action("keep the register of deployments", (Right.OPERATE, Right.REGISTER)),
    Action("keep the registers of places, backups, recipients, publications", (Right.REGISTER,)),
    Action("describe the processing of a data set or a place (Art. 30)", (Right.REGISTER,)),
    Action("make accounts, give roles, take them, close accounts", (Right.ADMINISTER,)),
)


def page_text(page: str) -> str:
    """Return the page with what lies between the two markers renewed."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{_rights()}\n{_actions()}\n{END}{tail}"


def _rights() -> str:
    lines = ["| role | may |", "|---|---|"]
    for role, rights in ROLES.items():
        lines.append(f"| {role} | {'; '.join(right.words for right in rights)} |")
    return "\n".join(lines) + "\n"


def _actions() -> str:
    roles = " | ".join(ROLES)
    lines = [f"| what | {roles} |", "|---" * (len(ROLES) + 1) + "|"]
    for one in (*BESIDE, *ACTIONS.values()):
        marks = " | ".join("yes" if role in one.roles else "" for role in ROLES)
        lines.append(f"| {one.words} | {marks} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_text(PAGE.read_text()))
