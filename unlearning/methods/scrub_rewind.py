"""SCRUB with rewind: go back to the epoch that forgot as much as never having learned would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch.utils.data import Subset

from unlearning.core.claims import Cost, Guarantee, Need
from unlearning.core.examples import labels_of
from unlearning.core.gradients import visits
from unlearning.core.method import EmptySet, Outcome
from unlearning.core.modes import evaluating
from unlearning.core.scrubbing import Scrubbing

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class ScrubRewind(Scrubbing):
    """Run SCRUB, keep the model of every epoch, and return the one that forgot just enough.

    Enough is the error that the last model makes on records of the same classes it never saw.

    **Assumption.** That of SCRUB; and a model that never saw F errs on it as often as on other
    unseen records of its classes, while more errors than that would give F away, too.

    **Update.** With theta_e the student after epoch e of SCRUB, E the last, V the validation
    records whose class occurs in F, and err the share of wrong answers in eval mode,

        theta_u = theta_e*,   e* = argmin over 1 <= e <= E of |err(F; theta_e) - err(V; theta_E)|,

    the latest of equals. An epoch up to which no pass over F had a gradient, as the first may
    have none, is no candidate, and nor is the original model; in the released code that is, and
    the last model is returned when it is the closest.

    **Reference.** "SCRUB+R" in Kurmanji et al., "Towards unbounded machine unlearning", NeurIPS
    2023; what Cadet et al., "Deep Unlearn", EuroS&P 2025, call SCRUB.

    **Cost.** That of SCRUB, a forward pass over F in every epoch, and a copy of the model each.

    **Known failure.** That of SCRUB. An error has steps of 1 / |F|, so with few records many
    epochs are equal. The validation records are used up: an audit must not take them for unseen.

    **When.** A deep network, and a split was kept that was never trained on and is no audit's.

    **Not.** Without such a split, or when it has no record of the classes that are to go.
    """

    title: ClassVar[str] = "SCRUB with rewind"
    paper: ClassVar[str] = "Kurmanji et al., NeurIPS 2023, arXiv 2302.09880 (SCRUB+R)"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.RECIPE, Need.VALIDATION})
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=4 / 3, forget_passes=5 / 3)
    mixed_precision: ClassVar[bool] = True

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        unseen = self._unseen(forget, context)
        errors: list[float] = []
        touched: list[int] = []
        states: list[dict[str, torch.Tensor]] = []

        def keep(epoch: int, moved: int) -> None:
            name = f"errors after epoch {epoch + 1} of {self.epochs}"
            errors.append(_error(model, forget, context, name))
            touched.append(moved)
            # Not on the accelerator, whose memory need not hold a model for every epoch.
            states.append({k: each.cpu().clone() for k, each in model.state_dict().items()})

        self.scrub(model, retain, forget, context, after=keep)
        aim = _error(model, unseen, context, "errors on unseen records")
        # Up to an epoch without a slope on the forget set there was nothing but fine-tuning.
        departed = [epoch for epoch in range(self.epochs) if touched[epoch]] or range(self.epochs)
        best = min(reversed(departed), key=lambda epoch: abs(errors[epoch] - aim))
        model.load_state_dict(states[best])
        reason = (
            f"went back to epoch {best + 1} of {self.epochs}, whose error on the forget set is "
            f"{errors[best]:.3f}; the last one on unseen records was {aim:.3f}"
        )
        return Outcome(model=model, edited=touched[best], stop_reason=reason)

    def _unseen(self, forget: Examples, context: Context) -> Examples:
        """Return the validation records of the classes that occur in the forget set."""
        alike = torch.isin(labels_of(context.validation), labels_of(forget))
        if not alike.any():
            raise EmptySet(
                f"{self.title} compares the forget set with validation records of its classes, "
                f"and there is none; keep some, or choose the method scrub."
            )
        return Subset(context.validation, alike.nonzero().flatten().tolist())


@torch.no_grad()
def _error(model: nn.Module, examples: Examples, context: Context, name: str) -> float:
    """Return the share of wrong answers, in eval mode."""
    wrong = total = 0
    with evaluating(model):
        for inputs, targets in visits(examples, context, name):
            wrong += int((model(inputs).argmax(-1) != targets).sum())
            total += len(targets)
    return wrong / total
