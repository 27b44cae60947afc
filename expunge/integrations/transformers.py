"""A callback for the ``Trainer`` of Hugging Face's transformers that captures a training.

    trainer = Trainer(..., callbacks=[capture_callback(sink=sink)])
    trainer.train()

The ``Trainer`` tells its callbacks of no exception: a training that raises is marked incomplete
once the platform has heard nothing for long, or at once in

    with capture_callback(sink=sink) as captured:
        Trainer(..., callbacks=[captured]).train()
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Self

from expunge.integrations.hooks import Hooks, NotPossibleHere


class _Events(Hooks):
    """The events of the ``Trainer``, in its words."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.fail(error)

    def on_train_begin(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ANN401, ARG002
        loader = told["train_dataloader"]
        self.begin(getattr(loader, "base_dataloader", loader))

    def on_step_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ANN401, ARG002
        self.saw(None)

    def on_train_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:  # noqa: ANN401, ARG002
        last = {name: value for one in state.log_history for name, value in one.items()}
        self.end(told["model"], last)


def capture_callback(**options: Any) -> Any:  # noqa: ANN401  (transformers is optional here)
    """Return a callback; the options are those of ``Hooks``, of which ``sink`` is needed.

    Raises:
        NotPossibleHere: ``batch_ids`` is given, and a ``Trainer`` shows its callbacks no batch.
        ModuleNotFoundError: ``transformers`` is not installed.
    """
    if options.get("batch_ids") is not None:
        raise NotPossibleHere("A Trainer shows its callbacks no batch; name records by ordinals.")
    library = import_module("transformers")
    return type("ExpungeCallback", (_Events, library.TrainerCallback), {})(**options)
