"""Who may do what: rights, and the roles that hold them.

A right is what a service asks for before it acts; a role is a group of staff. Nobody gets a right
by seeing a page: pages hide what services would refuse.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Right(StrEnum):
    """What a member of staff may do; the value is the codename of a Django permission."""

    READ = "read_cases"
    ENTER = "enter_request"
    HANDLE = "handle_case"
    REVIEW = "review_decision"
    OPERATE = "operate_models"
    REGISTER = "keep_registers"
    ADMINISTER = "administer_site"

    @property
    def words(self) -> str:
        """What the right allows, as it ends "you may not ..."."""
        return WORDS[self]


WORDS: Mapping[Right, str] = MappingProxyType(
    {
        Right.READ: "read cases",
        Right.ENTER: "enter requests that came by post, telephone or in person",
        Right.HANDLE: "handle cases and propose decisions",
        Right.REVIEW: "approve what somebody else proposed",
        Right.OPERATE: "decide about models and their versions",
        Right.REGISTER: "keep the registers of places, backups, recipients and legal holds",
        Right.ADMINISTER: "change the policy, the letters and who may do what",
    }
)
ROLES: Mapping[str, tuple[Right, ...]] = MappingProxyType(
    {
        "Intake": (Right.READ, Right.ENTER),
        "Case officer": (Right.READ, Right.ENTER, Right.HANDLE),
        "Reviewer": (Right.READ, Right.REVIEW),
        "Model operator": (Right.READ, Right.OPERATE),
        "Auditor": (Right.READ,),
        "Administrator": (Right.READ, Right.REGISTER, Right.ADMINISTER),
    }
)


def holders(*rights: Right) -> tuple[str, ...]:
    """Return the roles that hold at least one of the rights."""
    return tuple(role for role, held in ROLES.items() if set(rights) & set(held))


def refusal(*rights: Right) -> str:
    """Return the sentence for whoever holds none of the rights: what, and which roles may."""
    what = " or ".join(right.words for right in rights)
    named = " or ".join(holders(*rights))
    return f"You may not {what}. That takes the role {named}."
