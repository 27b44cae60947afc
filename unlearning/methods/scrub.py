"""SCRUB: a student that obeys its teacher on what stays and disobeys on what goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from torch.nn.functional import kl_div, log_softmax

from unlearning.core.claims import Cost, Guarantee
from unlearning.core.descent import Sgd
from unlearning.core.examples import count
from unlearning.core.knobs import Epochs, LearningRate, Temperature
from unlearning.core.method import Outcome, SettingRefused
from unlearning.core.order import Plan
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, decayed, descend
from unlearning.core.weights import Touched, frozen_copy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context, Examples


@dataclass(frozen=True, kw_only=True)
class Scrub(Sgd):
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

    learning_rate: LearningRate = 5e-4
    epochs: Epochs = 5
    msteps: Annotated[int, Range(1, 100, help="epochs that begin with the forget set")] = 3
    gamma: Annotated[float, Range(0, 1, help="weight of the true labels")] = 1.0
    alpha: Annotated[float, Range(0, 1, help="weight of the teacher's answers")] = 0.5
    temperature: Temperature = 2.0
    retain_batch_size: Annotated[int, Range(1, 4096, help="retained records in a step")] = 32
    forget_batch_size: Annotated[int, Range(1, 4096, help="forgotten records in a step")] = 64

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: together they leave a pass undone or without an objective.
        """
        super().__post_init__()
        if self.msteps > self.epochs:
            raise SettingRefused(
                f"Scrub.msteps is {self.msteps}, more than the {self.epochs} epochs there are."
            )
        if self.gamma == 0 and self.alpha == 0:
            raise SettingRefused("Scrub.gamma and Scrub.alpha are both 0; raise one of them.")

    def _unlearn(
        self, model: nn.Module, retain: Examples, forget: Examples, context: Context
    ) -> Outcome:
        teacher = frozen_copy(model)
        touched = Touched(model)
        optimizer = self.optimizer(model)

        def depart(inputs: Tensor, _targets: Tensor) -> Tensor:
            return -self._divergence(model(inputs), teacher(inputs))

        def obey(inputs: Tensor, targets: Tensor) -> Tensor:
            student = model(inputs)
            labels = self.gamma * context.recipe.loss(student, targets)
            return labels + self.alpha * self._divergence(student, teacher(inputs))

        departing = Phase(
            name="forget",
            plan=_one_epoch(forget, self.forget_batch_size),
            objective=depart,
            optimizer=optimizer,
            observe=touched.note,
        )
        obeying = Phase(
            name="retain",
            plan=_one_epoch(retain, self.retain_batch_size),
            objective=obey,
            optimizer=optimizer,
            augment=context.recipe.augment,
        )
        for epoch in range(self.epochs):
            if epoch < self.msteps:
                descend(model, forget, self._at(departing, epoch, context), context)
            descend(model, retain, self._at(obeying, epoch, context), context)
        reason = f"completed {self.epochs} epochs, {self.msteps} of them with the forget set"
        return Outcome(model=model, edited=touched.total(), stop_reason=reason)

    def _divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return KL_T of logits (n, classes), averaged over the batch."""
        return self.temperature**2 * kl_div(
            log_softmax(student / self.temperature, dim=-1),
            log_softmax(teacher / self.temperature, dim=-1),
            log_target=True,
            reduction="batchmean",
        )

    def _at(self, phase: Phase, epoch: int, context: Context) -> Phase:
        """Return the phase as it is in one epoch: its own order, its own learning rate."""
        factor = decayed(epoch, self.epochs, 0.1)
        return replace(
            phase,
            name=f"{phase.name}, epoch {epoch + 1} of {self.epochs}",
            plan=replace(phase.plan, seed=derive(context.seed, phase.name, epoch)),
            rate=lambda _step, _total: factor,
        )


def _one_epoch(examples: Examples, batch_size: int) -> Plan:
    return Plan(size=count(examples), batch_size=batch_size, epochs=1, seed=0)
