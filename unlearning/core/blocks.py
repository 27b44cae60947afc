"""A network as a row of blocks with a classifier behind them, found by structure.

What ``layer1`` to ``layer4`` are in a ResNet, the encoder layers are in a transformer and the
hidden layers, each with its norm, in a perceptron. What stands before the first block, such as
the stem of a ResNet, belongs to none. What stands between or behind blocks, such as a transition
or a hidden layer of the classifier, goes with them: the last blocks are all there is from some
layer on, in the order in which layers are registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearning.core.claims import NotEligible

if TYPE_CHECKING:
    from torch import nn

MATRIX = 2  # a weight of a layer has at least so many dimensions, that of a norm has one


def weighs(module: nn.Module) -> bool:
    """Say whether a module holds a weight itself, not through a child, and is no norm."""
    return any(weight.dim() >= MATRIX for weight in module.parameters(recurse=False))


def classifier(model: nn.Module) -> nn.Module:
    """Return the last layer that holds a weight.

    Raises:
        NotEligible: there is none.
    """
    found = [module for module in model.modules() if weighs(module)]
    if not found:
        raise NotEligible(f"{type(model).__name__} has no layer with weights, so no classifier.")
    return found[-1]


def blocks(model: nn.Module) -> list[tuple[nn.Module, ...]]:
    """Return the blocks, first to last, each as the modules that make it up; maybe none.

    The children that hold several layers are the blocks, searched through an only such child;
    where there are none, each layer begins a block of its own.
    """
    return _blocks(model, classifier(model))


def _blocks(module: nn.Module, last: nn.Module) -> list[tuple[nn.Module, ...]]:
    children = [child for child in module.children() if _holds(child)]
    composite = [child for child in children if _layers(child, last) > 1]
    if len(composite) == 1:
        return _blocks(composite[0], last)
    if composite:
        return [(child,) for child in composite]
    return _grouped(children, last)


def _layers(module: nn.Module, last: nn.Module) -> int:
    return sum(weighs(each) and each is not last for each in module.modules())


def _grouped(children: list[nn.Module], last: nn.Module) -> list[tuple[nn.Module, ...]]:
    """Begin a block at each layer with weights; the norms after it belong to it."""
    found: list[tuple[nn.Module, ...]] = []
    for child in children:
        if last in child.modules():
            break
        if _layers(child, last):
            found.append((child,))
        elif found:
            found[-1] = (*found[-1], child)
    return found


def last_blocks(model: nn.Module, number: int) -> list[nn.Module]:
    """Return the first module of the last blocks and all behind it that hold a parameter.

    Raises:
        NotEligible: the model does not have so many.
    """
    row = blocks(model)
    if number > len(row):
        raise NotEligible(
            f"{type(model).__name__} has {len(row)} blocks before its classifier, and the last "
            f"{number} were asked for; ask for fewer, or retrain the model."
        )
    return _onwards(model, row[-number][0])


def _onwards(module: nn.Module, first: nn.Module) -> list[nn.Module]:
    """Return ``first`` and what is registered behind it; nothing where it is not inside."""
    if module is first:
        return [first]
    children = list(module.children())
    for place, child in enumerate(children, start=1):
        if found := _onwards(child, first):
            return found + [each for each in children[place:] if _holds(each)]
    return []


def _holds(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())
