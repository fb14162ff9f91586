"""Every public name of Keras is there, or absent for a reason that the error tells."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from types import ModuleType
from typing import Any

import pytest

import pynn
from pynn import _absent, _compat
from source_tree import SOURCE


def load(path: str) -> ModuleType:
    """A script of the source tree as a module."""
    spec = importlib.util.spec_from_file_location("compatibility", SOURCE / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


tool: Any = load("tools/compatibility.py")
NAMESPACES = sorted({name.namespace for name in tool.keras_names()})
PROBLEMS = dict(tool.problems())
# Names of Keras 2 that people's code still has.
FORMER = ["utils.np_utils", "backend.sum", "backend.get_session", "layers.CuDNNLSTM"]


def test_names_are_those_of_keras_3_15() -> None:
    assert tool.version().startswith("3.15.")
    assert len(tool.keras_names()) > 1500
    assert {"layers", "losses", "ops", "utils"} < set(NAMESPACES)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_name_is_accounted_for(namespace: str) -> None:
    of_this = {name.path for name in tool.keras_names() if name.namespace == namespace}
    assert {path: text for path, text in PROBLEMS.items() if path in of_this} == {}


def absent_names() -> list[str]:
    """Absent names that can be asked for, not those inside an absent class or module."""
    paths = [name.path.rstrip(".") for name in tool.keras_names()]
    return [
        path
        for path in paths
        if not tool.is_there(path)
        and path not in PROBLEMS  # reported by the test above
        and ("." not in path or inspect.ismodule(resolved(path.rpartition(".")[0])))
    ]


def resolved(path: str) -> Any:
    return tool.resolve(path) if tool.is_there(path) else None


@pytest.mark.parametrize("path", [*absent_names(), *FORMER])
def test_an_absent_name_says_what_to_use_instead(path: str) -> None:
    row = _compat.reason(path)
    assert row
    with pytest.raises(AttributeError) as error:
        tool.resolve(path)
    for part in (f"keras.{path} is not in pynn", row.why, row.instead):
        assert part in str(error.value)


def test_absent_names_cannot_be_imported() -> None:
    with pytest.raises(ImportError, match=r"keras\.layers\.Conv2D is not in pynn.*Flatten"):
        exec("from pynn.layers import Conv2D")
    with pytest.raises(ImportError, match=r"keras\.applications is not in pynn"):
        exec("import pynn.applications.vgg16")


def test_unknown_names_are_ordinary_errors() -> None:
    with pytest.raises(AttributeError, match=r"module 'pynn.layers' has no attribute 'Dens'"):
        _ = pynn.layers.Dens  # type: ignore[attr-defined]
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'pynn.layer'"):
        exec("import pynn.layer")
    assert not hasattr(pynn.layers, "__wrapped__")


@pytest.mark.parametrize("row", _absent.ABSENT, ids=lambda row: row.names.split()[0])
def test_rows_are_needed_and_readable(row: _absent.Absent) -> None:
    for text in (row.why, row.instead):
        assert "  " not in text
        assert "|" not in text
    assert row.instead.endswith(".")
    assert not row.why.endswith(".")
    known = [name.path.rstrip(".") for name in tool.keras_names()]
    absent = [path for path in [*known, *FORMER] if not tool.is_there(path)]
    for pattern in row.names.split():
        assert any(tool.fnmatchcase(path, pattern) for path in absent), f"{pattern} is there now"


def test_differences_are_needed() -> None:
    different = [
        name.path
        for name in tool.keras_names()
        if tool.is_there(name.path) and tool.difference(name)
    ]
    for names, _ in tool.DIFFERENCES:
        for pattern in names.split():
            assert any(tool.fnmatchcase(path, pattern) for path in different), pattern


def test_the_page_is_current() -> None:
    current = tool.DOCUMENT.read_text(encoding="utf-8")
    assert current == tool.document(), "run tools/compatibility.py"
