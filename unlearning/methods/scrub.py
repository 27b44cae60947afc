"""SCRUB: a student that obeys its teacher on what stays and disobeys on what goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.method import Outcome
from unlearning.core.scrubbing import Scrubbing

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Scrub(Scrubbing):
    """Distil the original model into a student that departs from it on the forget set.

    Passes that push the student away on the forget set alternate with passes that hold it to its
    teacher on the retain set.

    **Assumption.** A student that is pushed away from its teacher's answers on F, and held to
    them on R, keeps what the teacher learned from R only.

    **Update.** The teacher is a frozen copy of theta_o, the student starts at theta_o. With

        KL_T = T^2 * sum KL(softmax(teacher / T) || softmax(student / T)) / batch,

    each epoch first makes one pass over F, up to epoch ``msteps``, with a step of SGD on -KL_T,
    and then one pass over R on gamma * CE + alpha * KL_T. The learning rate falls to a tenth
    after 50, 80 and 90 per cent of the epochs. The student is in train mode; R is augmented as
    in training, F is not. There is no rewind: that variant is a method of its own.

    **Reference.** Kurmanji et al., "Towards unbounded machine unlearning", NeurIPS 2023.

    **Cost.** Per epoch 4/3 passes over R (the teacher only forward), and over F in ``msteps``.

    **Known failure.** Student and teacher start equal, where KL_T is flat: without dropout or
    batch normalisation the first pass over F has no gradient, and with ``msteps`` of one such a
    model fails as untouched. With many passes over F the student oscillates.

    **When.** A deep network with dropout or batch normalisation, and a forget set of few batches.

    **Not.** A perceptron without either; there the first pass does nothing.
    """

    title: ClassVar[str] = "SCRUB"
    paper: ClassVar[str] = "Kurmanji et al., NeurIPS 2023, arXiv 2302.09880"
    basis: ClassVar[str] = "code"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = True
    cost: ClassVar[Cost] = Cost(retain_passes=4 / 3, forget_passes=4 / 3)
    mixed_precision: ClassVar[bool] = True

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        edited = self.scrub(model, retain, forget, context, after=lambda _epoch, _moved: None)
        reason = f"completed {self.epochs} epochs, {self.msteps} of them with the forget set"
        return Outcome(model=model, edited=edited, stop_reason=reason)
