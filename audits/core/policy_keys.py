"""The closed list of policy values that staff may change while the site runs.

A value that is stored overrides the environment variable of its key; everything else of the
configuration is read from the environment alone. Services: ``audits/services/policy_changes.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from audits.core.policy_table import TABLE
from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audits.core.policy_kinds import ValueKind

EVIDENCE = "evidence"
POLICY_VARIABLE = "EXPUNGE_POLICY"


class PolicyValueRefused(ValueError):
    """A key is not one that can be changed, or a value is not allowed; the sentence says which."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Keys that a change is proposed for together, and what approving one brings about."""

    title: str
    holds_for: str


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        EVIDENCE: Section(
            title="Evidence: margins and error probabilities",
            holds_for="A case whose plan is drawn keeps the policy that was fixed for it. Cases "
            "that are planned after the approval are judged by the new one.",
        ),
        "promises": Section(
            title="Promises: the least guarantee and what is accepted",
            holds_for="Runs that are planned keep their method. Plans that are drawn after the "
            "approval follow the new values.",
        ),
        "budgets": Section(
            title="Budgets: waiting, batches and rebuilding",
            holds_for="Cases that wait for one another are looked at by the new values at the "
            "next sweep; what has started goes on.",
        ),
        "retention": Section(
            title="Retention",
            holds_for="A closed case keeps the end that was noted at its closing. Cases that "
            "close after the approval are kept by the new days. Released legal holds and shadow "
            "models of stopped cases are counted by the new days at once.",
        ),
        "clock": Section(
            title="Legal clock and calendar",
            holds_for="A due date is derived once, at receipt, and stays. Only a case whose "
            "clock stands still afterwards is counted anew, by the calendar of that day.",
        ),
        "controller": Section(
            title="Controller and languages",
            holds_for="Letters, notices and reports that are written already stay as they are; "
            "later ones and all pages have the new words.",
        ),
    }
)


# Of keys for which what is said of their section is not true.
HOLDS_FOR: Mapping[str, str] = MappingProxyType(
    {
        "RELEASE_ATTACK": "It is read when the release gate measures a version: runs that were "
        "planned before the approval and are not measured yet are compared by the new step.",
        "IDENTITY_PAUSE": "It holds for open cases at once. A clock that stands still goes on "
        "standing still until it is resumed, also where the clocks of others cannot be stopped "
        "any more.",
        "AWAIT_WITHDRAWAL": "It holds for open cases at once. Where it is switched off, a case "
        "that waits for nothing but acknowledgements is sealed; where it is switched on, each "
        "case that is not sealed yet waits for them.",
        "CONFIRM_HOURS": "Links that were sent are counted by the new hours at once, whatever "
        "their letter says; with fewer hours, requests whose link is older expire at the next "
        "sweep, and their people have to ask again.",
    }
)


@dataclass(frozen=True, kw_only=True)
class PolicyKey:
    """One value: ``name`` is its code, ``variable`` the environment's name for it.

    ``field`` is the field of ``EvidencePolicy``, where it is one of ``EXPUNGE_POLICY``.
    """

    name: str
    section: str
    title: str
    kind: ValueKind
    help: str
    source: str

    @property
    def field(self) -> str:
        """The field of the policy of evidence; empty for a key with a variable of its own."""
        return self.name.lower() if self.section == EVIDENCE else ""

    @property
    def variable(self) -> str:
        """The environment variable that the stored value overrides."""
        return POLICY_VARIABLE if self.field else f"EXPUNGE_{self.name}"

    @property
    def holds_for(self) -> str:
        """What approving another value brings about, as a sentence."""
        own = HOLDS_FOR.get(self.name)
        return f"{self.title}: {own}" if own else SECTIONS[self.section].holds_for

    def read(self, text: str) -> Any:  # noqa: ANN401  (any JSON value)
        """Return the value that a text stands for.

        Raises:
            PolicyValueRefused: it is not allowed; the sentence says what is.
        """
        try:
            return self.kind.read(text.strip())
        except ValueError:
            raise PolicyValueRefused(
                worded_of(
                    self.name,
                    "It is %(text)s; it must be %(rule)s.",
                    text=repr(text),
                    rule=worded(self.kind.rule),
                )
            ) from None


KEYS: Mapping[str, PolicyKey] = MappingProxyType(
    {
        name: PolicyKey(
            name=name, section=section, title=said[0], kind=said[1], help=said[2], source=said[3]
        )
        for section, rows in TABLE.items()
        for name, said in rows.items()
    }
)


def key_named(name: str) -> PolicyKey:
    """Return the key of that code.

    Raises:
        PolicyValueRefused: no such value can be changed here.
    """
    if name not in KEYS:
        raise PolicyValueRefused(
            worded(
                "%(name)s is not a policy value that can be changed; those are %(allowed)s.",
                name=repr(name),
                allowed=", ".join(KEYS),
            )
        )
    return KEYS[name]
