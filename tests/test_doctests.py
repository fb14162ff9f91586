"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import pynn

MODULES = ["pynn"] + [
    module.name
    for module in pkgutil.walk_packages(pynn.__path__, "pynn.")
    if not module.name.startswith("pynn.lib")  # a shared library that travels with the package
]


class Finder(doctest.DocTestFinder):
    """Also finds what the catalog made: such functions live in a module but not in its file."""

    def _from_module(self, module: ModuleType, object: object) -> bool:
        return getattr(object, "__module__", None) == module.__name__


def examples(name: str) -> list[doctest.DocTest]:
    """The docstrings of a module that hold examples."""
    found = Finder(exclude_empty=True).find(importlib.import_module(name), name)
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in examples(name):
        runner.run(test)
    assert runner.failures == 0, f"{runner.failures} examples of {name} print something else"


def test_there_are_docstring_examples() -> None:
    assert sum(len(examples(name)) for name in MODULES) > 50
