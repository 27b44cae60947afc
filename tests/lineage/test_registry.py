from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from importlib import import_module

import pytest

from lineage.core.registry import NotOneImplementation, Registry, UnknownName

FILES = {
    "base": "from abc import ABC, abstractmethod\n"
    "class Shape(ABC):\n    @abstractmethod\n    def area(self): ...\n",
    "kinds/__init__": "",
    "kinds/circle": "from {0}.base import Shape\n"
    "class Helper: ...\n"
    "class Half(Shape, __import__('abc').ABC):\n    pass\n"
    "class Circle(Shape):\n    def area(self): return 3\n",
    "kinds/empty": "from {0}.kinds.circle import Circle\n",
    "kinds/twice": "from {0}.kinds.circle import Circle\n"
    "class A(Circle): ...\nclass B(Circle): ...\n",
    "kinds/_private": "raise RuntimeError('imported')\n",
}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    name = "registry_example"
    for path, text in FILES.items():
        file = tmp_path / name / f"{path}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{0}", name))
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry(import_module(f"{name}.kinds"), import_module(f"{name}.base").Shape)
    for loaded in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[loaded]


def test_names_come_from_files_and_import_nothing(registry):
    assert registry.names() == ("circle", "empty", "twice")
    assert list(registry) == ["circle", "empty", "twice"]
    assert len(registry) == 3
    assert "circle" in registry
    assert "_private" not in registry
    assert "registry_example.kinds.circle" not in sys.modules


def test_it_finds_the_one_concrete_class_of_a_file(registry):
    assert registry.get("circle")().area() == 3


def test_it_refuses_an_unknown_name_and_lists_what_there_is(registry):
    with pytest.raises(UnknownName, match="has no 'square'; it has circle, empty, twice"):
        registry.get("square")


@pytest.mark.parametrize(("name", "count"), [("empty", 0), ("twice", 2)])
def test_it_refuses_a_file_without_exactly_one_implementation(registry, name, count):
    with pytest.raises(NotOneImplementation, match=f"exactly one concrete Shape; .* {count}"):
        registry.get(name)


def test_an_abstract_class_may_be_the_base():
    import lineage.core

    class Abstract(ABC):
        @abstractmethod
        def act(self) -> None: ...

    assert "registry" in Registry(lineage.core, Abstract)
