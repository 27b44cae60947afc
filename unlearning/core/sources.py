"""The source that a recipe is written in: its own modules and the helpers beside them."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import lru_cache
from importlib.abc import InspectLoader
from importlib.util import find_spec, resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.machinery import ModuleSpec

CORE = "unlearning.core"


class NoSource(LookupError):
    """The source of a module cannot be read."""


def with_helpers(modules: Iterable[str]) -> list[str]:
    """Return the modules, and those of their own packages that they import, each once.

    A helper's own imports are followed too, wherever in the file they stand, but none out of the
    package of the module that it began with: other packages are the environment's, and
    ``unlearning.core`` has a version of its own.

    Raises:
        NoSource: a module has none.
    """
    found: dict[str, None] = {}
    for module in modules:
        package = module.rpartition(".")[0]
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = None
                imported = _imported(source(name), _package(name))
                waiting += reversed([each for each in imported if _inside(each, package)])
    return list(found)


def source(module: str) -> bytes:
    """Return the source of a module, which need not have been imported.

    Raises:
        NoSource: there is none, as it was typed into a session.
    """
    spec = _spec(module)
    loader = spec.loader if spec else None
    try:
        if isinstance(loader, InspectLoader):
            text = loader.get_source(module)
        else:
            text = inspect.getsource(sys.modules[module])
    except (ImportError, OSError, TypeError) as problem:
        raise NoSource(module) from problem
    if text is None:
        raise NoSource(module)
    return text.encode()


def _spec(module: str) -> ModuleSpec | None:
    known = sys.modules.get(module)
    return known.__spec__ if known else find_spec(module)


def _inside(module: str, package: str) -> bool:
    if module == CORE or module.startswith(f"{CORE}."):
        return False
    return bool(package) and module.startswith(f"{package}.") and _is_module(module)


def _is_module(name: str) -> bool:
    """Return whether a dotted name is a module, and not something in one.

    To look for ``a.b.c`` imports ``a.b``, so that is done only where it is a package.
    """
    parent = name.rpartition(".")[0]
    if parent and not _is_module(parent):
        return False
    if parent and not getattr(_spec(parent), "submodule_search_locations", None):
        return False
    return name in sys.modules or find_spec(name) is not None


@lru_cache(maxsize=256)  # each digest of a recipe reads its modules again, to see a change
def _imported(text: bytes, package: str) -> tuple[str, ...]:
    """Return every dotted name that a source imports, whether it names a module or not."""
    return tuple(_names(ast.parse(text), package))


def _names(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            base = resolve_name(base, package) if node.level else base
            yield from _with_parents(base)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    """Yield a dotted name and the packages that importing it imports first."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _package(module: str) -> str:
    """Return what relative imports in a module are relative to."""
    spec = _spec(module)
    return (spec.parent or "") if spec else module.rpartition(".")[0]
