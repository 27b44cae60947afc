"""Find implementations by file name: adding a file is registering it."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

T = TypeVar("T")


class UnknownName(LookupError):
    """No file of the package has this name."""


class NotOneImplementation(TypeError):
    """A file of the package defines no implementation, or more than one."""


class Registry(Generic[T]):
    """The concrete subclasses of ``base`` found in a package, one to a module.

    Names come from the file system, so listing them imports nothing. A module whose name starts
    with an underscore is not an implementation.
    """

    def __init__(self, package: ModuleType, base: Callable[..., T]) -> None:
        """Look in ``package`` for subclasses of the class ``base``, which may be abstract."""
        self._package = package
        self._base = base

    def names(self) -> tuple[str, ...]:
        """Return every name, sorted, without importing an implementation."""
        found = (module.name for module in pkgutil.iter_modules(self._package.__path__))
        return tuple(sorted(name for name in found if not name.startswith("_")))

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def get(self, name: str) -> type[T]:
        """Return the implementation called ``name``.

        Raises:
            UnknownName: the package has no such file; the message lists what there is.
            NotOneImplementation: the file does not define exactly one.
        """
        if name not in self:
            known = ", ".join(self.names()) or "nothing"
            raise UnknownName(f"{self._package.__name__} has no {name!r}; it has {known}.")
        module = import_module(f"{self._package.__name__}.{name}")
        found = [cls for _, cls in inspect.getmembers(module, self._implements(module))]
        if len(found) != 1:
            raise NotOneImplementation(
                f"{module.__name__} must define exactly one concrete "
                f"{getattr(self._base, '__name__', self._base)}; it defines {len(found)}."
            )
        implementation: type[T] = found[0]
        return implementation

    def _implements(self, module: ModuleType) -> Callable[[object], bool]:
        """Return a test for the concrete subclasses written in ``module`` itself."""

        def test(candidate: object) -> bool:
            return (
                inspect.isclass(candidate)
                and issubclass(candidate, self._base)  # type: ignore[arg-type]  # base is a class
                and candidate.__module__ == module.__name__
                and not inspect.isabstract(candidate)
            )

        return test
