"""Linear heads that are trained with noise, so that records can be removed with a certificate.

The features are the pixels as they are: nothing that was fitted on records stands before the
head. Without a secret in the session the noise is drawn by its seed, which is then as secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.certified.budget import Budget
from unlearning.core.certified.head import CertifiedHead
from unlearning.core.ranges import Range
from unlearning.recipes.digits import SIDE, decode_levels
from unlearning.recipes.fitted_at_once import FittedAtOnce

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.examples import Held
    from unlearning.core.session import Session


@dataclass(frozen=True, kw_only=True)
class DigitsCertified(FittedAtOnce):
    """Logistic regression of each digit against the rest, on its grey levels."""

    title: ClassVar[str] = "Digits, logistic regression with certified removal"
    family: ClassVar[str] = "digits"
    noisy: ClassVar[bool] = True

    targets: tuple[str, ...] = tuple("0123456789")
    penalty: Annotated[
        float, Range(1e-6, 1.0, log=True, help="lambda: pull of the weights, for each record")
    ] = 1e-2
    sigma: Annotated[float, Range(1e-3, 1e3, log=True, help="deviation of the noise")] = 5.0
    epsilon: Annotated[float, Range(1e-3, 1.0, help="of the certificate")] = 1.0
    delta: Annotated[float, Range(1e-12, 1e-2, log=True, help="of the certificate")] = 1e-4

    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return the grey levels in 0..1, (1, 8, 8), and the position of the target."""
        return decode_levels(content)[None], self.label(target)

    def build(self) -> nn.Module:
        """Return the untrained head."""
        budget = Budget(epsilon=self.epsilon, delta=self.delta, sigma=self.sigma)
        return CertifiedHead(SIDE * SIDE, len(self.targets), penalty=self.penalty, budget=budget)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        if not isinstance(model, CertifiedHead):
            raise TypeError(f"{type(model).__name__} keeps no removal budget.")
        session.step("fit", 0, 1)
        model.fit(*examples.all(), secret=session.secret)
        session.step("fit", 1, 1)
        return model
