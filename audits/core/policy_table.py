"""What each policy value is called, what it may be, and where that comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core import policy_kinds as kinds
from audits.core.case_retention import AT_ONCE, KEPT_FOR, LEAST_DAYS, MOST_DAYS
from audits.core.letter_rules import LOCALES
from audits.core.policy import SMALLEST_LOOK, AuditData, Mode
from audits.core.regimes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.policy_kinds import ValueKind

MOST_MODELS = 4096
_ART_12 = "GDPR Art. 12(3)"
_ART_5 = "GDPR Art. 5(1)(e)"
_ART_13 = "GDPR Art. 13(1)(a), 30(1)(a)"
_OUTCOMES = tuple(name for name in KEPT_FOR if name not in AT_ONCE)
# name: title, kind, help, law or literature
TABLE: Mapping[str, Mapping[str, tuple[str, ValueKind, str, str]]] = {
    "evidence": {
        "MARGIN_RECORD": (
            "Largest tolerated leak, record average",
            kinds.between(0, 1),
            "A version passes only if its advantage on the average record is shown to be smaller.",
            "docs/verdicts.md; equivalence margin of a one-sided test",
        ),
        "MARGIN_SUBJECT": (
            "Largest tolerated leak, subject and single record",
            kinds.between(0, 1),
            "The same for everything that one person brought, and for a single record.",
            "docs/verdicts.md; equivalence margin of a one-sided test",
        ),
        "MARGIN_UTILITY": (
            "Largest tolerated loss of accuracy",
            kinds.between(0, 1),
            "As a fraction; a version that loses more is held back by the release gate.",
            "docs/verdicts.md",
        ),
        "ALPHA": (
            "Error probability of a verdict",
            kinds.between(0, 0.5),
            "Shared by all looks (Bonferroni), so that stopping early keeps the promise.",
            "docs/statistics.md",
        ),
        "ALPHA_INSTANCE": (
            "Error probability of the instance test",
            kinds.between(0, 0.5),
            "The deployed model fails below this p-value; a smaller one trains more models.",
            "docs/statistics.md",
        ),
        "LOOKS": (
            "Shadow models per arm at each look",
            kinds.wholes(SMALLEST_LOOK, MOST_MODELS),
            "Cumulative, each larger than the one before.",
            "docs/evidence.md",
        ),
        "MAX_TRAININGS": (
            "Most shadow models of an audit",
            kinds.whole(2 * SMALLEST_LOOK, 2 * MOST_MODELS),
            "In both arms together; at least twice the last look.",
            "docs/evidence.md",
        ),
        "MODE": (
            "When a verdict may be taken",
            kinds.one_of(*Mode),
            "looks: only at the planned numbers; sequential: at any, with wider bounds.",
            "docs/statistics.md",
        ),
        "AUDIT_DATA": (
            "Whose records shadow models learn from",
            kinds.one_of(*AuditData),
            "own_records trains on the person's records once more, which the person is told.",
            "docs/evidence.md; GDPR Art. 5(1)(c)",
        ),
        "EQUIVALENCE": (
            "Also retrain models to compare with",
            kinds.flag(),
            "Costs as many trainings again.",
            "docs/evidence.md",
        ),
    },
    "promises": {
        "MINIMUM": (
            "Least guarantee that is planned for",
            kinds.one_of("", "APPROXIMATE", "SAME_RECIPE", "BIT_EXACT"),
            "Nothing: what the first method promises. What does not reach it is trained again.",
            "docs/planning.md",
        ),
        "ACCEPT_EPSILON": (
            "Accepted epsilon",
            kinds.number(0, 100),
            "A version that promised at most this is left as it is; 0 accepts none.",
            "docs/privacy.md",
        ),
        "ACCEPT_DELTA": (
            "Accepted delta",
            kinds.between(0, 0.01),
            "Goes with the accepted epsilon.",
            "docs/privacy.md",
        ),
        "CERTIFICATE_DAYS": (
            "Days that a procedure certificate is relied on",
            kinds.number(0, 3650),
            "0 issues and uses none.",
            "docs/certificates.md",
        ),
        "RELEASE_ATTACK": (
            "Step of the release gate's attack",
            kinds.number(0, 1000),
            "In the units of the inputs; 0 does not compare.",
            "docs/planning.md",
        ),
    },
    "budgets": {
        "COALESCE_DAYS": (
            "Days that requests wait for one another",
            kinds.number(0, 365),
            "0 starts each at once; fewer than the days until a request should be through.",
            "docs/planning.md",
        ),
        "COALESCE_REQUESTS": (
            "Requests that need not wait longer",
            kinds.whole(1, 1_000_000),
            "So many to one training start at once.",
            "docs/planning.md",
        ),
        "MIN_BATCH": (
            "Least people that one new version carries",
            kinds.whole(1, 10_000),
            "A case waits for others no longer than its due date allows.",
            "docs/planning.md",
        ),
        "DEADLINE_DAYS": (
            "Days after receipt until a request should be through",
            kinds.number(1, 90),
            "Within the month of the law; staff are warned where the workers cannot keep it.",
            _ART_12,
        ),
        "REBUILDS_PER_DAY": (
            "Whole trainings that the workers do in a day",
            kinds.number(0, 1_000_000),
            "0 takes what the longest training took.",
            "docs/planning.md",
        ),
    },
    "retention": {
        "CASE_DAYS": (
            "Days that a closed case says whose it was",
            kinds.whole(LEAST_DAYS, MOST_DAYS),
            "Then its key is destroyed.",
            f"{_ART_5}; docs/retention.md",
        ),
        "CASE_DAYS_BY_OUTCOME": (
            "Other days, by outcome",
            kinds.days_by_outcome(_OUTCOMES, LEAST_DAYS, MOST_DAYS),
            "An outcome that is not named has the days above.",
            f"{_ART_5}; docs/retention.md",
        ),
        "SHADOW_DAYS": (
            "Days that shadow models of an open case are kept",
            kinds.whole(1, 366),
            "They go when the case closes; this is for a case that does not.",
            f"{_ART_5}; docs/evidence-format.md",
        ),
    },
    "clock": {
        "REGIME": (
            "Whose law sets the limit",
            kinds.one_of(*REGIMES),
            "By when a person is answered.",
            f"{_ART_12}, UK GDPR, CCPA, LGPD; docs/deadlines.md",
        ),
        "COUNTRY": (
            "Country whose public holidays count",
            kinds.pattern("[A-Z]{2}", "a code of two letters such as FR"),
            "Two letters.",
            "Regulation 1182/71 Art. 3(4)",
        ),
        "REGION": (
            "Region of that country",
            kinds.pattern("[A-Za-z0-9 -]{0,20}", "a code such as BY, or nothing"),
            "As the package holidays names it.",
            "Regulation 1182/71 Art. 3(4)",
        ),
        "HOLIDAYS": (
            "Free days that the calendar does not know",
            kinds.dates(),
            "Separated by commas.",
            "Regulation 1182/71 Art. 3(4)",
        ),
        "OWN_TARGET_DAYS": (
            "Own target where the law gives no number",
            kinds.whole(1, 31),
            "Of the regime BRAZIL alone.",
            "docs/deadlines.md",
        ),
        "IDENTITY_PAUSE": (
            "Staff may stop the clock",
            kinds.flag(),
            "While the person is asked who they are, or for what the regime knows.",
            "EDPB Guidelines 01/2022",
        ),
        "AWAIT_WITHDRAWAL": (
            "Seal only once every place acknowledged",
            kinds.flag(),
            "Or once staff recorded why one did not.",
            "GDPR Art. 19",
        ),
        "CONFIRM_HOURS": (
            "Hours that a confirmation link works",
            kinds.whole(1, 720),
            "Links that were sent are counted by the hours in force when they are opened.",
            "docs/public-pages.md",
        ),
    },
    "controller": {
        "CONTROLLER": ("Name of the controller", kinds.line(), "In letters and pages.", _ART_13),
        "CONTACT": ("Address for questions", kinds.line(), "In letters and pages.", _ART_13),
        "AUTHORITY": (
            "Supervisory authority",
            kinds.line(empty=True),
            "To which a person may complain.",
            "GDPR Art. 12(4)",
        ),
        "DPO": (
            "Data protection officer",
            kinds.line(empty=True),
            "A name and a contact; none where none is designated. Nothing is a gap.",
            "GDPR Art. 30(1)(a), 37(7)",
        ),
        "REPRESENTATIVE": (
            "Representative in the Union",
            kinds.line(empty=True),
            "A name and a contact; none where none is designated. Nothing is a gap.",
            "GDPR Art. 27, 30(1)(a)",
        ),
        "LANGUAGE": (
            "Language of notices to recipients",
            kinds.one_of(*LOCALES),
            "Where none is chosen for the recipient.",
            "GDPR Art. 19",
        ),
    },
}
