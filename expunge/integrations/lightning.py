"""A Lightning callback that captures a training.

    trainer = Trainer(callbacks=[capture_callback(sink=sink)])
    trainer.fit(model, loader)

Works with ``lightning`` and with ``pytorch_lightning``. With several processes, give each a sink
with its rank (docs/capture.md).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from expunge.integrations.hooks import Hooks, NotPossibleHere


class _Events(Hooks):
    """The events of Lightning's loop, in its words."""

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401, ARG002
        # Before ``on_train_start`` a first pass has begun, so the loader is watched where the
        # strategy gets it: with the sampler that it will have in this process.
        if stage == "fit" and not self._batch_ids:
            prepare = trainer.strategy.process_dataloader

            def prepared(loader: Any) -> Any:  # noqa: ANN401
                if trainer.training:
                    self._watch(loader)
                return prepare(loader)

            trainer.strategy.process_dataloader = prepared

    def _watch(self, loader: Any) -> None:  # noqa: ANN401
        if self.captured is not None:
            raise NotPossibleHere(
                "The training draws from several loaders, or makes its loader anew, and one can "
                "be captured. Give batch_ids=... to name the records of a batch."
            )
        self.begin(loader)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002
        if self._batch_ids:
            self.begin(None)

    def on_train_batch_start(
        self,
        trainer: Any,  # noqa: ANN401, ARG002
        pl_module: Any,  # noqa: ANN401, ARG002
        batch: Any,  # noqa: ANN401
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        self.saw(batch)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401
        self.end(pl_module, trainer.callback_metrics)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ANN401, ARG002
        self.fail(exception)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ANN401, ARG002
        if stage == "fit":
            self.give_up()


def capture_callback(**options: Any) -> Any:  # noqa: ANN401  (Lightning is optional here)
    """Return a callback; the options are those of ``Hooks``, of which ``sink`` is needed.

    Raises:
        ModuleNotFoundError: neither ``lightning`` nor ``pytorch_lightning`` is installed.
    """
    # Two packages with classes of their own: that which the script has imported is meant.
    old = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
    library = import_module("pytorch_lightning" if old else "lightning.pytorch")
    return type("ExpungeCallback", (_Events, library.Callback), {})(**options)
