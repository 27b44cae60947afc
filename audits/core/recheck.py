"""Draw a verdict again from an evidence file, without models, database or this platform's web.

``python -m audits.core.recheck evidence.json`` prints what was recorded and what comes out. With a
file of scores as a second argument it also says whether the evidence committed to these.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audits.core.canonical import NotCanonical, read_json, sha256, write_json
from audits.core.commitment import CaseKeyMalformed
from audits.core.committed_scores import ScoresUnreadable, read_scores
from audits.core.contrast import recompute_all
from audits.core.evidence_file import FORMAT, MEMBERS
from audits.core.evidence_schema import misfit
from audits.core.kept import kept_by_attack
from audits.core.planted import KeptCanaries, judge
from audits.core.policy import EvidencePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audits.core.verdict import Verdict

JUDGED, PLANTED = "U_LIRA", "CANARIES"
NOTHING = "nothing concluded"
COMMITTED = "Scores:   those that the evidence committed to"
NOT_COMMITTED = "Scores:   not those that the evidence committed to"
NOT_CHECKED = "Schema:   not checked, as jsonschema is not installed"


class EvidenceRefused(ValueError):
    """The file is not evidence that this version can judge."""


@dataclass(frozen=True, kw_only=True)
class Recheck:
    """The recorded outcome, and the verdict drawn again.

    Attributes:
        recorded: the outcome in the file.
        again: what its kept numbers give; None where they conclude nothing.
        schema_checked: whether the file was held against the published schema, which takes
            ``jsonschema``.
    """

    recorded: str
    again: Verdict | None
    schema_checked: bool

    @property
    def agrees(self) -> bool:
        """Return whether both are the same outcome."""
        return self.recorded == (self.again.outcome.value if self.again else "")


def recheck(data: bytes) -> Recheck:
    """Judge the kept numbers of an evidence file anew under the policy in it.

    Raises:
        EvidenceRefused: the sentence says what is wrong with the file.
    """
    values = _read(data)
    payload, kept = values["payload"], values["payload"].get("kept")
    if sha256(write_json(payload)) != values["digest"]:
        raise EvidenceRefused("digest does not match the payload; the file was changed.")
    if values["kind"] not in (JUDGED, PLANTED) or kept is None:
        raise EvidenceRefused(
            f"kind is {values['kind']!r} without kept numbers; only {JUDGED!r} and {PLANTED!r} "
            f"with them can be judged again."
        )
    checked = _in_schema(values)
    try:
        policy = EvidencePolicy.from_dict(values["policy"])
        again = _again(values["kind"], payload, policy)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise EvidenceRefused(f"The kept numbers or the policy cannot be read: {error}") from None
    if payload.get("policy_digest", policy.digest()) != policy.digest():
        raise EvidenceRefused("policy is not the one that the payload was judged under.")
    return Recheck(recorded=values["outcome"], again=again, schema_checked=checked)


def _again(kind: str, payload: dict[str, Any], policy: EvidencePolicy) -> Verdict | None:
    if kind == PLANTED:
        kept, smoke = KeptCanaries.from_dict(payload["kept"]), bool(payload["smoke"])
        return judge(kept, alpha=policy.alpha_instance, smoke=smoke).verdict
    return recompute_all(kept_by_attack(payload), policy)


def committed_to(evidence: bytes, scores: bytes) -> bool:
    """Return whether evidence commits to the scores in a file that ``manage.py scores`` wrote.

    Raises:
        EvidenceRefused: the evidence commits to none, or a file cannot be read.
    """
    said = _read(evidence)["payload"].get("scores")
    if not isinstance(said, dict):
        raise EvidenceRefused("payload.scores is missing; this evidence commits to no scores.")
    try:
        found, salt = read_scores(scores)
        return bool(found.commitment(salt) == said.get("commitment"))
    except (CaseKeyMalformed, ScoresUnreadable) as error:
        raise EvidenceRefused(str(error)) from None


def _in_schema(values: dict[str, Any]) -> bool:
    """Refuse what the published schema does not know; False where nothing can hold it up to it."""
    try:
        why = misfit(values)
    except ImportError:
        return False
    if why:
        raise EvidenceRefused(f"The file does not fit the schema of {FORMAT}: {why}")
    return True


def _read(data: bytes) -> dict[str, Any]:
    try:
        values = read_json(data)
    except NotCanonical as error:
        raise EvidenceRefused(f"This is not an evidence file. {error}") from None
    if not isinstance(values, dict) or values.keys() != MEMBERS:
        raise EvidenceRefused(f"An evidence file has exactly {', '.join(sorted(MEMBERS))}.")
    if values["format"] != FORMAT:
        raise EvidenceRefused(f"format is {values['format']!r}; this version reads {FORMAT!r}.")
    if not isinstance(values["payload"], dict):
        raise EvidenceRefused("payload is not an object.")
    return values


def main(arguments: Sequence[str]) -> int:
    """Print the outcome of one file; 0 if both agree, 1 if not, 2 if it cannot be judged.

    With scores, 1 also where these are not those that the evidence committed to.
    """
    if len(arguments) not in {1, 2}:
        sys.stderr.write("Usage: python -m audits.core.recheck EVIDENCE.json [SCORES.json]\n")
        return 2
    try:
        data, *scores = (Path(one).read_bytes() for one in arguments)
        found = recheck(data)
        kept = all(committed_to(data, one) for one in scores)
    except (EvidenceRefused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    again = found.again.outcome.value if found.again else NOTHING
    lines = [f"Recorded: {found.recorded or NOTHING}", f"Again:    {again}"]
    lines += [f"  {reason}" for reason in (found.again.reasons if found.again else ())]
    lines += [] if found.schema_checked else [NOT_CHECKED]
    lines += [COMMITTED if kept else NOT_COMMITTED] if scores else []
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if found.agrees and kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
