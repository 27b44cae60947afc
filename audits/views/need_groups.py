"""What waits for somebody, as a group of lines for the first page of staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.core.roles import Right, holders
from audits.services.rights import has_right

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.auth.models import User


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing to act on; ``own`` where the viewer may not, as they had a hand in it."""

    href: str
    label: str
    note: str = ""
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Things of one kind, the first of them as lines; ``total`` counts all."""

    code: str
    title: str
    hint: str
    tone: str
    rights: tuple[Right, ...]
    total: int
    lines: tuple[Line, ...]
    more: str

    @property
    def left(self) -> int:
        """Return how many are not shown."""
        return self.total - len(self.lines)

    @property
    def roles(self) -> str:
        """Return the roles that act on it, in words."""
        return _(" or ").join(_(role) for role in holders(*self.rights))

    def is_for(self, user: User) -> bool:
        """Return whether the member of staff may act on at least one."""
        others = self.left or any(not line.own for line in self.lines)
        return bool(others) and has_right(user, *self.rights)


def group(
    kind: tuple[str, str, str, str, tuple[Right, ...]],
    rows: Sequence[Any],
    line: Callable[[Any], Line],
    more: str,
) -> Group:
    """Return the rows of a group as lines; each row knows how many there are ``of_all``."""
    code, title, hint, tone, rights = kind
    return Group(
        code=code,
        title=title,
        hint=hint,
        tone=tone,
        rights=rights,
        total=rows[0].of_all if rows else 0,
        lines=tuple(map(line, rows)),
        more=more,
    )
