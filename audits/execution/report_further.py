"""What the regulator's edition adds: the words of the answer, the procedure, formats, terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core import answers, evidence_file, record
from audits.core.letter_rules import RULES
from audits.core.placeholders import fill
from audits.execution.report_models import treated_versions
from audits.execution.report_person import models_told
from audits.execution.report_speech import language, say
from audits.execution.report_view import SealedCase, site, view_of
from audits.queries.letter_texts import builtin_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IN_THE_ANSWER = ("complaint", "remedy")
MODELS_TITLE = "What the answer says of the models"
MODELS_SAID = (
    "The answer follows the seal: its text is not in this record. It is logged after the seal "
    "with the SHA-256 of its text. These are the sentences that this release makes of the record:"
)
REMEDIES_TITLE = "Remedies that the answer names"
REMEDIES_SAID = (
    "So it is worded in the text of the letter that comes with this release (%(code)s, SHA-256 "
    "%(digest)s); the operator may have published another version, whose number and SHA-256 are "
    "then among the letters of the case."
)
PROCEDURE_TITLE = "The procedure"
PROCEDURE = (
    "A request is stored and logged on receipt. The time to answer runs from that day.",
    "The person confirms the address, or staff make sure who asks, with no more than is needed.",
    "Staff decide with a ground; a refusal needs a code of the law. Who must approve is set by "
    "the rules that held.",
    "The records found are restricted at once: no training reads them any more.",
    "Lineage names every model version that learned from them. A plan treats each: trained again, "
    "unlearned, destroyed, or left with a stated reason.",
    "What was not made exactly is attacked. The rules of the verdict are logged before the first "
    "measurement, and what is not cleared is trained again exactly.",
    "The records, their files and keys are deleted and read back; shadow models are destroyed.",
    "The record is signed and sealed in the log, the person is answered, and recipients are told.",
)
ASSESSMENT_TITLE = "Impact assessment (Art. 35 GDPR)"
ASSESSMENT = (
    "The text from which an impact assessment of this procedure starts comes with the software: "
    "docs/dpia.md of release %(release)s. The assessment of the controller itself is not part of "
    "this record; ask for it at %(contact)s."
)
CHANGES_TITLE = "Formats of the record and their changes"
CHANGES_HEAD = ("Format", "What changed")
CHANGES = (
    (record.FORMAT, "the sealed record: first and only format"),
    (evidence_file.FORMAT, "an exported evidence: first and only format"),
    (
        f"findings.answers/{answers.FORMAT}",
        "the answers: added after release 0.1.0; records of that release have none",
    ),
    (
        "report",
        "three editions and languages, fourteen sections, attached files and a seal: "
        "added after release 0.1.0",
    ),
)
TERMS_TITLE = "Terms"
TERMS_HEAD = ("Term", "Meaning")
TERMS = (
    ("Forget set", "the examples whose influence is to be removed"),
    ("Retain set", "the rest of the training set"),
    ("Original model", "the model before unlearning"),
    ("Unlearned model", "what a method of unlearning returned"),
    ("Retrained model", "a model trained on the retain set alone, to compare others with"),
    ("Shadow model", "a model that the auditor trains to learn how members look to an attack"),
    ("Membership inference attack", "a procedure that decides whether an example was trained on"),
    (
        "Membership score",
        "one number for each example and attack; higher means more likely a member",
    ),
    ("Erasure", "the legal act; what fulfils it is shown by the whole case"),
    ("Unlearning (removal of influence)", "the removal of the influence of records from a model"),
    ("Deletion", "the removal of rows and files; shown by reading back"),
    ("Exact unlearning", "the result is what training again without the records would give"),
    ("Approximate unlearning", "no promise; judged by attacks alone"),
    ("Lineage", "the graph of what each version learned from, directly or through others"),
    ("Recipe", "architecture, loss, optimiser, schedule and seed: enough to train again"),
)


def regulator_view(case: SealedCase) -> dict[str, Any]:
    """Return everything that the regulator's edition shows, in the language that is spoken."""
    findings = case.findings
    told = models_told(treated_versions(findings), findings)
    blocks = further(findings, case.verified.account.outcome, told)
    return view_of(case) | {"further": blocks}


def further(
    findings: Mapping[str, Any], outcome: str, models: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Return blocks by section, each a title with sentences, or with columns and rows.

    Args:
        findings: of the sealed record.
        outcome: of the case; only a case of a person has an answer.
        models: a sentence for each model version, as the answer has them.
    """
    answered = [] if findings.get("operator_case") else _answer(outcome, models)
    return {"communication": answered, "annex": [*_texts(findings), _changes(), _terms()]}


def _answer(outcome: str, models: Sequence[str]) -> list[dict[str, Any]]:
    blocks = [{"title": say(MODELS_TITLE), "sentences": [say(MODELS_SAID), *models]}]
    code = f"ANSWER_{outcome}"
    if code not in RULES:
        return blocks
    text = builtin_text(code, language())
    values = {"authority": site()["authority"]}
    told = [fill(text.blocks[name], values) for name in IN_THE_ANSWER if text.blocks.get(name)]
    said = say(REMEDIES_SAID, code=code, digest=text.digest)
    return [*blocks, {"title": say(REMEDIES_TITLE), "sentences": [*told, said]}]


def _texts(findings: Mapping[str, Any]) -> list[dict[str, Any]]:
    release = str(findings["software"].get("expunge", ""))
    assessment = say(ASSESSMENT, release=release, contact=site()["contact"])
    return [
        {"title": say(PROCEDURE_TITLE), "sentences": list(map(say, PROCEDURE))},
        {"title": say(ASSESSMENT_TITLE), "sentences": [assessment]},
    ]


def _changes() -> dict[str, Any]:
    rows = [[{"code": name}, say(changed)] for name, changed in CHANGES]
    return _table(CHANGES_TITLE, CHANGES_HEAD, rows)


def _terms() -> dict[str, Any]:
    return _table(TERMS_TITLE, TERMS_HEAD, [list(map(say, row)) for row in TERMS])


def _table(title: str, head: tuple[str, ...], rows: list[list[Any]]) -> dict[str, Any]:
    return {
        "title": say(title),
        "columns": list(map(say, head)),
        "rows": rows,
        "widths": [2, 3],
    }
