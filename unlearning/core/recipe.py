"""How a model is made from records, completely enough to be made again.

A recipe is a frozen dataclass whose fields are its hyperparameters. It says how the content of
one record becomes an example, how a fresh model is built, and how that model is trained: the
whole procedure that exact unlearning repeats without the forget set.
"""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from copy import deepcopy
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, final

import rfc8785
import torch
from torch import Tensor, nn

from unlearning.core.examples import count, held
from unlearning.core.modes import evaluating
from unlearning.core.ranges import check_ranges
from unlearning.core.seeding import isolated
from unlearning.core.sources import NoSource, source, with_helpers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from unlearning.core.examples import Examples, Held
    from unlearning.core.session import Session

# Metadata of a field that is not described while it has its default: it came later than recipes
# that are captured, and their digests must still be those.
ADDED = {"added": True}


class NoExamples(ValueError):
    """A set that must hold an example holds none."""


class UnreadableRecord(ValueError):
    """The content of a record is not what the recipe expects."""


class UnknownTarget(ValueError):
    """A record's target is not among those that the recipe tells apart."""


class NotARecipe(ValueError):
    """A path does not name a recipe, or its parameters do not fit."""


class RecipeNotAllowed(ValueError):
    """The module of a recipe is not on the list of those that may be imported."""


class RecipeChanged(ValueError):
    """The code or the parameters of a recipe are not those that were captured."""


@dataclass(frozen=True, kw_only=True)
class Recipe(ABC):
    """A training procedure whose fields are its hyperparameters.

    A subclass says what ``build``, ``decode`` and ``_fit`` do. The whole state of its models
    must lie in ``state_dict()``, because nothing else is stored.
    """

    title: ClassVar[str]
    family: ClassVar[str]
    noisy: ClassVar[bool] = False  # whether a promise rests on noise that nobody may know

    targets: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check every ranged field.

        Raises:
            OutOfRange: a field has a value that its declaration does not allow.
        """
        check_ranges(self)

    @abstractmethod
    def build(self) -> nn.Module:
        """Return an untrained model, its weights drawn from torch's global random state."""

    @abstractmethod
    def decode(self, content: bytes, target: str) -> tuple[Tensor, Tensor]:
        """Return (input, target) for the stored content of one record.

        Raises:
            UnreadableRecord: the content is not what this recipe expects.
            UnknownTarget: the target is not in ``targets``.
        """

    @abstractmethod
    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        """Return the trained model; ``model`` may be trained in place."""

    @final
    def train(self, examples: Examples, session: Session) -> nn.Module:
        """Carry out the whole procedure; return the model in eval mode, on the device.

        Equal sessions and examples give equal tensors, and the caller's random state is left as
        it was found.

        Raises:
            NoExamples: there is nothing to train on.
            Cancelled: the session was cancelled.
        """
        source = held(examples)
        if not count(source.retained()):
            raise NoExamples(f"{self.title} needs at least one example to train on, and got none.")
        with isolated(session.seed, session.device):
            trained = self._fit(self.prepared(source, session), source, session)
        trained.zero_grad(set_to_none=True)
        return trained.eval()

    @final
    def prepared(self, examples: Held, session: Session) -> nn.Module:
        """Return the model before its first step, as drawn from the random state there is."""
        model = self.start(session.base).to(session.device)
        if session.base is None:
            self.prepare(model, examples.retained())
        return model

    def start(self, base: nn.Module | None) -> nn.Module:
        """Return what training starts from: a copy of ``base``, or a fresh model."""
        return self.build() if base is None else deepcopy(base)

    def prepare(self, model: nn.Module, examples: Held) -> None:  # noqa: B027  (most fit nothing)
        """Fit, in place, what is derived from the data before the first step (scalers, ...).

        A child of a base model is not prepared: its scalers are those of the base.
        """

    def augment(self, inputs: Tensor) -> Tensor:
        """Return a random variation of a batch; draws from torch's global random state only."""
        return inputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (n, classes) against targets (n,)."""
        return nn.functional.cross_entropy(outputs, targets)

    @final
    def predict(self, model: nn.Module, inputs: Tensor) -> Tensor:
        """Return logits (n, classes) for inputs (n, ...), in eval mode and without gradient."""
        with evaluating(model), torch.no_grad():
            logits: Tensor = model(inputs)
        return logits

    def label(self, target: str) -> Tensor:
        """Return the position of ``target`` among ``targets``, as a scalar long.

        Raises:
            UnknownTarget: it is not among them.
        """
        if target not in self.targets:
            known = ", ".join(self.targets)
            raise UnknownTarget(f"The target {target!r} is not one of: {known}.")
        return torch.tensor(self.targets.index(target))

    @final
    def describe(self) -> dict[str, Any]:
        """Return the class and the fields, as JSON can hold them; recipes among these likewise."""
        cls = type(self)
        own = asdict(self) | {name: part.describe() for name, part in self._parts().items()}
        for each in fields(self):
            if each.metadata == ADDED and getattr(self, each.name) == each.default:
                del own[each.name]
        return {"recipe": f"{cls.__module__}:{cls.__qualname__}", "parameters": own}

    def _parts(self) -> dict[str, Recipe]:
        """Return the recipes among the fields, by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Recipe)}

    @final
    def digest(self) -> str:
        """Return the SHA-256, in hex, of the code that defines this recipe and of its fields.

        The code is the source of each module that a class of the recipe is written in, from the
        recipe upwards, and of what these import from their own packages, without
        ``unlearning.core``. The digests of recipes among the fields go into it.

        Raises:
            NotARecipe: the recipe was typed into a session and has no source to read.
        """
        digest = hashlib.sha256(rfc8785.dumps(self.describe()))
        try:
            for name in with_helpers(_modules(type(self))):
                digest.update(hashlib.sha256(source(name)).digest())
        except NoSource as problem:
            raise NotARecipe(
                f"The source of {problem} cannot be read, so its recipe cannot be captured; write "
                f"the recipe in a file of its own."
            ) from problem
        for part in self._parts().values():
            digest.update(bytes.fromhex(part.digest()))
        return digest.hexdigest()


def _modules(cls: type[Recipe]) -> list[str]:
    """Return the modules that define a recipe, each once, the most specific first."""
    own = (each.__module__ for each in cls.__mro__ if issubclass(each, Recipe))
    return list(dict.fromkeys(name for name in own if not name.startswith("unlearning.core.")))


def load_recipe(path: str, parameters: Mapping[str, Any], allowed: Iterable[str]) -> Recipe:
    """Return the recipe that ``path`` ("package.module:Class") and its parameters describe.

    ``allowed`` lists modules that may be imported; a package stands for its modules too. A
    parameter that is a recipe is given as ``describe`` gives it, and held to the same list.

    Raises:
        RecipeNotAllowed: the module is not listed; nothing was imported.
        NotARecipe: there is no such class, or the parameters are not its fields.
        OutOfRange: a parameter lies outside its range.
    """
    module, _, name = path.partition(":")
    listed = list(allowed)
    if not any(module == entry or module.startswith(f"{entry}.") for entry in listed):
        raise RecipeNotAllowed(
            f"The recipe module {module!r} may not be imported: EXPUNGE_RECIPE_MODULES allows "
            f"{', '.join(listed) or 'none'}."
        )
    cls = _recipe_class(module, name)
    _check_names(cls, parameters)
    try:
        return cls(**{key: _loaded(value, listed) for key, value in parameters.items()})
    except RecursionError as problem:
        raise NotARecipe(f"A parameter of {name} is nested too deeply.") from problem


def _loaded(value: Any, allowed: list[str]) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict) and value.keys() == {"recipe", "parameters"}:
        return load_recipe(value["recipe"], value["parameters"], allowed)
    return _frozen(value)


def _recipe_class(module: str, name: str) -> type[Recipe]:
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError as problem:
        raise NotARecipe(f"The recipe module {module!r} cannot be found: {problem}.") from problem
    if not (inspect.isclass(found) and issubclass(found, Recipe)) or inspect.isabstract(found):
        raise NotARecipe(
            f"The path '{module}:{name}' names no recipe; it must be 'package.module:Class', "
            f"where Class is a concrete subclass of Recipe."
        )
    return found


def _check_names(cls: type[Recipe], parameters: Mapping[str, Any]) -> None:
    known = {field.name for field in fields(cls)}
    if unknown := sorted(set(parameters) - known):
        raise NotARecipe(
            f"{cls.__name__} has no parameter {', '.join(unknown)}; it has "
            f"{', '.join(sorted(known))}."
        )
    try:
        inspect.signature(cls).bind(**parameters)
    except TypeError as problem:
        raise NotARecipe(f"{cls.__name__} cannot be made: {problem}.") from problem


def _frozen(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """Return a JSON value with its lists as tuples, which is how recipes declare them."""
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return value


def check_unchanged(recipe: Recipe, captured: str) -> None:
    """Hold a recipe to the digest that was taken when the model was trained.

    Raises:
        RecipeChanged: its code or its parameters are different now.
    """
    if (digest := recipe.digest()) != captured:
        path = recipe.describe()["recipe"]
        raise RecipeChanged(
            f"The recipe {path} has the digest {digest}, but {captured} was captured when the "
            f"model was trained: its code or its parameters have changed since. Restore them, or "
            f"capture the model anew."
        )
