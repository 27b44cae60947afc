"""Everything a method may use besides the model and the two sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearning.core.examples import NOTHING, Examples
from unlearning.core.session import Cancelled, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from unlearning.core.history import History
    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.rewind import Rewind
    from unlearning.core.sharding.rebuilding import Rebuild

__all__ = ["Cancelled", "Context", "Examples"]


@dataclass(frozen=True, kw_only=True)
class Context(Session):
    """A session that also knows how the model was trained.

    ``validation`` holds records that were never trained on and that no audit uses. A method that
    does not declare to need it is given a seal in its place. ``classes`` names the targets of
    which every record is to go, where a request is for whole classes: a method that does not read
    the forget set cannot know them otherwise. ``history`` is what was kept of the
    end of the training, and ``rewind`` the whole of it, state by state, or that of the shards
    that are to be rebuilt; each is None where nothing was kept, and for a method that does not
    declare it. ``fresh`` trains by the recipe on the retain set and keeps what a later replay
    needs; None where nothing is kept.
    """

    recipe: Recipe
    validation: Examples = NOTHING
    classes: tuple[str, ...] = ()
    history: History | None = None
    rewind: Rewind | Rebuild | None = None
    fresh: Callable[[Session], nn.Module] | None = None
