"""The reasons of verdicts and what is left, as recorded in English, ``{name}`` for what varies.

A record holds them as English sentences; ``report_retold`` tells them in other languages.
"""

from __future__ import annotations

from audits.core.wording import NOT_COVERED
from audits.execution.report_reasons_further import FURTHER

_CLAIM = (
    "{level}: with {confidence} % confidence, over the randomness of training and unlearning, an "
    "attacker who reads probabilities and knows the record and its label, using the attack fitted "
    "to these shadow models, tells 'was trained on, then unlearned' from 'never was' with an "
    "advantage of at most {upper} (right at most {right} % of the time); before unlearning it had "
    "at least {seen}"
)
_JUDGED = "(judged on {inside} against {outside} models)."
REASONS = (
    f"{_CLAIM} for every subject {_JUDGED}",
    f"{_CLAIM} {_JUDGED}",
    "{level}: with {confidence} % confidence, told from a retrained model with an advantage of at "
    "most {upper}.",
    "{level}: after unlearning the attack has an advantage of at least {lower} with {confidence} "
    "% confidence, above the margin {margin} (estimate {estimate}, judged on {inside} against "
    "{outside} models).",
    "{level}: after unlearning the advantage may be as large as {upper}, above the margin "
    "{margin} (estimate {estimate}, judged on {inside} against {outside} models).",
    "{level}: before unlearning the attack's advantage is only known to be at least {seen}, which "
    "does not exceed the margin {margin}.",
    "{level}: even before unlearning the attack's advantage was at most {upper} with {confidence} "
    "% confidence, within the margin {margin}; it says nothing about unlearning.",
    "The deployed model stands out from models that never saw the records: p = {p}, below "
    "{limit}.",
    "No retrained models were compared, so only the leak is bounded.",
    "The accuracy of the unlearned models was not measured.",
    "The manifest digest matches, no ancestor's inputs hold a record of the forget set, every "
    "ancestor was made exactly, and the code and environment are recorded.",
    "Smoke alarm: not run.",
    NOT_COVERED,
    # Of audits/queries/footprint.py, on what is left.
    "{count} record(s) still have an identity",
    "{count} record(s) still have a content",
    "{count} identifier(s) of the person are still stored",
    "{count} file(s) of destroyed versions are still stored",
    "{count} shadow model(s) with scores are not destroyed",
    *FURTHER,
)
