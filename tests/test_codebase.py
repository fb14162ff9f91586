"""The house rules that a program can check: floors, single doors, sizes, names, versions."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pynn
from pynn import _core
from source_tree import SOURCE

MOST_LINES = 400

# Each floor may include itself and those before it.
CPP_FLOORS = ["core", "kernels", "ops", "exec", "bindings"]
PYTHON_FLOORS = [
    {"_core", "_absent", "_compat", "_legacy"},
    {"config", "plotting", "utils"},
    {"_catalog"},
    {"_graph"},
    {"ops"},
    {
        "activations", "constraints", "initializers", "losses", "metrics", "optimizers",
        "regularizers",
    },
    {"layers"},
    {"backend", "callbacks", "datasets", "random"},
    {"diagrams", "models", "saving"},
    {"sklearn"},
    {"bench"},
]  # fmt: skip

CODE = {".h", ".cpp", ".py", ".cmake", ".sh"}
TEXT = {*CODE, ".cfg", ".json", ".md", ".pyi", ".toml", ".txt", ".yaml", ".yml", ""}
NOT_OURS = {"build", "dist", "wheelhouse", "__pycache__"}


def files(*folders: str, suffixes: set[str]) -> list[Path]:
    """The project's own files in some folders of the source tree, all when none is named."""

    def walk(folder: Path) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            hidden = path.name.startswith(".") and path.name not in (".ci", ".github")
            if path.is_dir():
                if not hidden and path.name not in NOT_OURS and path.suffix != ".egg-info":
                    yield from walk(path)
            elif path.suffix in suffixes:
                yield path

    found = [path for folder in folders or ("",) for path in walk(SOURCE / folder)]
    assert found, f"no files in {folders}"
    return found


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def code(path: Path) -> str:
    """C++ without its comments."""
    text = path.read_text(encoding="utf-8")
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


CPP = files("csrc", suffixes={".h", ".cpp"})
PYTHON = files("pynn", suffixes={".py"})
every_cpp_file = pytest.mark.parametrize("path", CPP, ids=name)
every_python_file = pytest.mark.parametrize("path", PYTHON, ids=name)


# Floors


@every_cpp_file
def test_includes_point_down(path: Path) -> None:
    floor = path.relative_to(SOURCE / "csrc").parts[0]
    allowed = CPP_FLOORS[: CPP_FLOORS.index(floor) + 1]
    for included in re.findall(r'#\s*include\s+"([^"]+)"', code(path)):
        if included == "isas.h":
            continue  # written by CMake: the instruction sets of this build
        assert included.split("/")[0] in allowed, f"{name(path)} includes {included}"
        assert (SOURCE / "csrc" / included).is_file(), f"{name(path)}: write the path from csrc/"


@every_python_file
def test_imports_point_down(path: Path) -> None:
    parts = path.relative_to(SOURCE / "pynn").with_suffix("").parts
    if parts == ("__init__",):
        return  # names of every floor
    allowed = PYTHON_FLOORS[: floor_of(parts[0]) + 1]
    for imported in imports(ast.parse(path.read_text(encoding="utf-8"))):
        assert any(imported in floor for floor in allowed), f"{name(path)} imports pynn.{imported}"


def floor_of(part: str) -> int:
    """The floor of a module of pynn."""
    for number, floor in enumerate(PYTHON_FLOORS):
        if part in floor:
            return number
    raise AssertionError(f"pynn.{part} has no floor: give it one in PYTHON_FLOORS")


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules of pynn imported at run time: x for ``pynn.x.y``, ``from pynn import x``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full"
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            yield from imports(node)
            continue
        for target in dotted:
            first, _, rest = target.partition(".")
            if first == "pynn" and rest:
                yield rest.split(".")[0]


# One door each


@pytest.mark.parametrize(
    ("pattern", "door"),
    [
        (r"pybind11|PyObject|Python\.h", r"bindings/"),
        (r"\bcblas_|<cblas", r"kernels/gemm\.(h|cpp)"),
        (
            r"omp\s+parallel|omp_get_thread_num|std::thread\b(?!::hardware)|pthread_create",
            r"core/parallel\.(h|cpp)",
        ),
        (r"<omp\.h>", r"core/"),
        (r"<random>|std::rand\b|\bmt19937", r"nowhere: random numbers are kernels/random\.h"),
        (r"\bstd::cout|\bprintf\(|\babort\(", r"nowhere: errors are exceptions"),
    ],
)
def test_one_door(pattern: str, door: str) -> None:
    for path in CPP:
        inside = path.relative_to(SOURCE / "csrc").as_posix()
        if not re.match(door, inside):
            assert re.findall(pattern, code(path)) == [], f"csrc/{inside}: belongs to {door}"


def test_no_fast_math() -> None:
    for path in files(suffixes={".cmake", ".txt", ".toml", ".json"}):
        text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        for flag in ("ffast-math", "Ofast", "march=native", "fp:fast"):
            assert flag not in text, f"{name(path)} uses {flag}"


# Sizes and words


@pytest.mark.parametrize("path", files(suffixes=CODE), ids=name)
def test_files_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{name(path)} has {lines} lines, more than {MOST_LINES}"


def test_no_hosts_of_registries_and_no_paths_of_machines() -> None:
    # One letter of each stands in brackets so that this file passes its own test.
    hosts = r"py[p]i\.org|python[h]osted\.org|npm[j]s\.org|[d]eb\.debian\.org"
    folders = r"(?<![\w.])(/r[o]ot/|/w[o]rk/|/tmp/d[e]v)"
    for path in files(suffixes=TEXT):
        found = re.search(f"{hosts}|{folders}", path.read_text(encoding="utf-8"))
        assert found is None, f"{name(path)} names {found[0]}"


@pytest.mark.parametrize("path", files(suffixes=CODE), ids=name)
def test_no_loose_ends(path: Path) -> None:
    found = re.findall(r"\b(T[O]DO|FIX[M]E|X[X]X|HA[C]K)\b", path.read_text(encoding="utf-8"))
    assert found == []


def test_scripts_can_be_run() -> None:
    assert (SOURCE / ".ci" / "run").stat().st_mode & 0o111


# Versions


def test_one_version() -> None:
    project = (SOURCE / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    changes = re.search(
        r"^## \[(\d[^\]]*)\]", (SOURCE / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert declared
    assert changes
    assert declared[1] == changes[1] == _core.__version__ == pynn.__version__


# Thin Python

# NumPy functions that compute with numbers, rather than look at shapes or arrange arrays.
ARITHMETIC = re.compile(
    r"\bnp\.(add|subtract|multiply|divide|matmul|dot|tensordot|einsum|exp|log|tanh|sqrt|square|power"
    r"|sum|mean|var|std|maximum|minimum|clip|where)\("
)
# What is computed once and not in every batch: statistics of a data set, folded weights, the mean
# of repeated predictions.
ONCE = {
    "pynn/layers/data_normalization.py",
    "pynn/models/batchwise.py",
    "pynn/models/fusing.py",
}


@pytest.mark.parametrize("path", files("pynn/layers", "pynn/models", suffixes={".py"}), ids=name)
def test_the_engine_does_the_arithmetic(path: Path) -> None:
    code = re.sub(r'"""(.*?)"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert name(path) in ONCE or not ARITHMETIC.findall(code)


# Names


GETTERS = {
    "activation": "activations",
    "row_activation": "activations",
    "loss": "losses",
    "metric": "metrics",
    "optimizer": "optimizers",
}
FUNCTIONS = {"math", "binary"}  # the kinds that pynn.ops makes functions of: test_ops.py
# Metrics without a class are counts that several classes share.
CATALOG: list[dict[str, Any]] = [
    row
    for row in _core.catalog()
    if row["kind"] not in FUNCTIONS and (row["class_name"] or row["kind"] != "metric")
]
every_row = pytest.mark.parametrize(
    "row", CATALOG, ids=[f"{row['kind']}-{row['name']}" for row in CATALOG]
)


@every_row
def test_catalog_names_resolve(row: dict[str, Any]) -> None:
    module = importlib.import_module(f"pynn.{GETTERS[row['kind']]}")
    names = [known for known in (row["name"], row["class_name"], *row["aliases"].split()) if known]
    if any(math.isnan(parameter["default"]) for parameter in row["fields"]):
        with pytest.raises(TypeError, match="must be given"):
            module.get(row["name"])
    else:
        find = getattr(module, "resolve", module.get)
        found = [find(known) for known in names]
        assert len({getattr(one, "__name__", type(one)) for one in found}) == 1


@every_row
def test_catalog_rows_are_documented(row: dict[str, Any]) -> None:
    assert row["formula"], "a row tells its formula"
    assert row["doc"].strip(), "a row has a sentence"
    for parameter in row["fields"]:
        assert parameter["doc"], f"{parameter['name']} says what it is"
    module = importlib.import_module(f"pynn.{GETTERS[row['kind']]}")
    public = getattr(module, row["class_name"] or row["name"])
    assert public.__doc__
    parameters = inspect.signature(public).parameters
    for parameter in row["fields"]:
        assert parameter["name"] in parameters, f"{public.__name__} hides {parameter['name']}"


@pytest.mark.parametrize("kind", sorted(set(GETTERS.values())))
def test_unknown_names_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="no_such_thing"):
        importlib.import_module(f"pynn.{kind}").get("no_such_thing")


def public_modules() -> list[str]:
    found = pkgutil.walk_packages(pynn.__path__, "pynn.")
    return ["pynn", *(m.name for m in found if not re.search(r"\._|\.lib", m.name))]


@pytest.mark.parametrize("module_name", public_modules())
def test_public_names_are_documented(module_name: str) -> None:
    module = importlib.import_module(module_name)
    assert module.__doc__, f"{module_name} has no docstring"
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        if inspect.isclass(value) or inspect.isroutine(value):
            assert (value.__doc__ or "").strip(), f"{module_name}.{public} has no docstring"
