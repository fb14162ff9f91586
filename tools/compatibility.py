"""Compares pynn with the names of Keras, and writes docs/keras-compatibility.md.

    python tools/compatibility.py            # writes
    python tools/compatibility.py --check    # status 1 when a name is missing or the page is stale

Keras's names and arguments stand in tests/keras_names/names.txt; why a name is absent stands in
pynn/_absent.py, and what differs on purpose in the tables here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from pynn import _absent, _compat

SOURCE = Path(__file__).resolve().parent.parent
NAMES = SOURCE / "tests" / "keras_names" / "names.txt"
DOCUMENT = SOURCE / "docs" / "keras-compatibility.md"

# Arguments of Keras that pynn's functions and classes do not have, wherever they occur.
ABSENT_ARGUMENTS = {
    "sparse ragged": "arrays are dense",
    "lora_rank lora_alpha quantization_config": "no low-rank adapters, no quantization",
    "autocast loss_scale_factor": "no mixed precision",
    "aggregation synchronization layout": "one machine",
    "jit_compile": "the engine is compiled already",
    "preferred_backend": "arrays are NumPy's",
    "ordered": "it chooses JAX's way of drawing",
    "overwrite_with_gradient": "no float8 training",
    "rebuild": "a Sequential model is always rebuilt",
    "tensor input_tensor optional": "an Input is a symbol of its own, and is always given",
    "renorm renorm_clipping renorm_momentum synchronized": "plain batches of one machine",
    "max_shard_size": "weights are in one file",
}

# (names, what differs). A name with another signature than Keras's must be matched by a row.
DIFFERENCES = (
    (
        "layers.*.call Sequential.call",
        "built-in layers are used by calling them, `layer(inputs)`; your own define `call`",
    ),
    (
        "KerasTensor",
        "`Input` and layers make symbols; where a symbol comes from is always recorded",
    ),
    (
        "Optimizer optimizers.Optimizer",
        "the base class alone has no rule: derive from one of the others",
    ),
    ("Optimizer.finalize_variable_values", "the list of variables may be left out"),
    ("Variable", "the default name is `variable`"),
    ("Metric.add_variable", "shape and initializer have defaults, as in `add_weight`"),
    ("callbacks.CallbackList.on_*", "the number of the batch or epoch is given by position"),
    ("losses.categorical_generalized_cross_entropy", "`q` has the default of the class, 0.5"),
    (
        "metrics.sparse_top_k_categorical_accuracy",
        "`from_sorted_ids` is an argument of the class only",
    ),
)


@dataclass(frozen=True)
class Name:
    """A line of names.txt."""

    path: str
    arguments: str | None  # source text with brackets; None for what is not called

    @property
    def namespace(self) -> str:
        """The module of Keras it stands in, "" for ``keras`` itself."""
        parts = self.path.split(".")[:-1]
        while parts and parts[-1][0].isupper():  # a class
            parts.pop()
        return ".".join(parts)

    @property
    def is_module(self) -> bool:
        return self.path.endswith(".")


@cache
def keras_names() -> tuple[Name, ...]:
    """Every public name of Keras; a module's path ends in a dot."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()[1:]
    split = (re.fullmatch(r"([\w.]+)(\(.*\))?", line) for line in lines)
    return tuple(Name(found[1], found[2]) for found in split if found)


def version() -> str:
    return NAMES.read_text(encoding="utf-8").split()[6].rstrip(":")


def resolve(path: str) -> Any:
    """What pynn has under a name of Keras.

    Raises:
        AttributeError: nothing.
    """
    found = importlib.import_module("pynn")
    for part in path.rstrip(".").split("."):
        found = member(found, part) if inspect.isclass(found) else getattr(found, part)
    return found


def member(cls: type, name: str) -> Any:
    """A method, a property or an attribute set by a method of a class."""
    if hasattr(cls, name):
        found = inspect.getattr_static(cls, name)
        return getattr(found, "__func__", found)
    for base in cls.__mro__[:-1]:
        if name in vars(base).get("__annotations__", {}) or name in vars(base).get("__slots__", ()):
            return None
        if re.search(rf"\bself\.{name}\b[^()\n]* = ", inspect.getsource(base)):
            return None
    raise AttributeError(f"{cls.__name__} has no attribute {name!r}")


@cache
def is_there(path: str) -> bool:
    try:
        resolve(path)
    except (AttributeError, ModuleNotFoundError):
        return False
    return True


Arguments = list[tuple[str, Any]]


def keras_arguments(name: Name, ours: set[str]) -> Arguments:
    """Names and defaults of Keras's arguments that pynn means to have; ... is any default."""
    absent = {word for words in ABSENT_ARGUMENTS for word in words.split()} - ours
    tree = ast.parse(f"def f{name.arguments}: pass").body[0]
    assert isinstance(tree, ast.FunctionDef)
    spec = tree.args
    missing = [inspect.Parameter.empty] * (len(spec.args) - len(spec.defaults))
    found = list(zip(spec.args, [*missing, *map(ast.literal_eval, spec.defaults)], strict=True))
    for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        found.append((arg, ast.literal_eval(default) if default else inspect.Parameter.empty))
    return [(arg.arg, default) for arg, default in found if arg.arg not in absent]


def pynn_arguments(value: Any) -> Arguments:
    """Names and defaults of our arguments."""
    function = value if not inspect.isclass(value) else value.__init__
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        del parameters[0]
    star = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [(p.name, p.default) for p in parameters if p.kind not in star]


@cache
def difference(name: Name) -> str:
    """How our arguments differ from Keras's, "" if they do not; more at the end are fine."""
    value = resolve(name.path)
    if name.arguments is None or not callable(value):
        return ""
    ours = pynn_arguments(value)
    theirs = keras_arguments(name, {argument for argument, _ in ours})
    ours = ours[: len(theirs)]
    if len(ours) == len(theirs) and all(map(_same, theirs, ours)):
        return ""
    return f"{_text(pynn_arguments(value))} instead of {_text(theirs)}"


def _same(theirs: tuple[str, Any], ours: tuple[str, Any]) -> bool:
    if theirs[1] is ...:
        return theirs[0] == ours[0]
    return theirs == ours and type(theirs[1]) in (type(ours[1]), int, float)


def _text(arguments: Arguments) -> str:
    empty = inspect.Parameter.empty
    return f"({', '.join(n if d is empty else f'{n}={d!r}' for n, d in arguments)})"


def explained(path: str) -> str:
    """Why a name has other arguments."""
    rows = (why for names, why in DIFFERENCES if any(fnmatchcase(path, n) for n in names.split()))
    return next(rows, "")


def problems() -> Iterator[tuple[str, str]]:
    """Names that nothing accounts for, with what is wrong; not the names inside a missing one."""
    missing: list[str] = []
    for name in keras_names():
        path = name.path.rstrip(".")
        if not is_there(path):
            if _compat.reason(path) is None and not _inside(path, missing):
                missing.append(path)
                yield path, f"missing{name.arguments or ''}"
        elif (text := difference(name)) and not explained(path):
            yield path, text


def document() -> str:
    """The text of docs/keras-compatibility.md."""
    there: dict[str, list[str]] = {}
    absent: dict[_absent.Absent, list[str]] = {row: [] for row in _absent.ABSENT}
    for name in keras_names():
        path = name.path.rstrip(".")
        if is_there(path):
            if not name.is_module:
                there.setdefault(name.namespace, []).append(path)
        elif (row := _compat.reason(path)) and not _inside(path, absent[row]):
            absent[row].append(path)
    parts = [HEAD.format(version=version()), "## What is there\n"]
    for namespace, paths in there.items():
        short = [path.removeprefix(f"{namespace}.") for path in paths]
        title = f"keras.{namespace}".rstrip(".")
        parts.append(f"### `{title}`\n\n{', '.join(f'`{path}`' for path in short)}\n")
    parts.append("## What is not there, and what to use instead\n")
    parts.append("| Names | Why not | Instead |\n| --- | --- | --- |")
    for row, paths in absent.items():
        cells = ", ".join(f"`{path}`" for path in paths or row.names.split())
        parts.append(f"| {cells} | {row.why} | {row.instead} |")
    parts.append("\n## Arguments that are not there\n\n| Arguments | Why not |\n| --- | --- |")
    for words, why in ABSENT_ARGUMENTS.items():
        parts.append(f"| {', '.join(f'`{word}`' for word in words.split())} | {why} |")
    parts.append("\n## Arguments that differ\n\n| Names | What differs |\n| --- | --- |")
    for names, why in DIFFERENCES:
        parts.append(f"| {', '.join(f'`{name}`' for name in names.split())} | {why} |")
    return "\n".join([*parts, TAIL])


def _inside(path: str, listed: list[str]) -> bool:
    """Whether the namespace a name is in is listed already."""
    return any(path.startswith(f"{other}.") for other in listed)


HEAD = """<!-- Generated by tools/compatibility.py. Do not edit. -->

# pynn and Keras

`import pynn as keras` runs ordinary code for dense networks as written. This page accounts for
every public name of Keras {version}: it is in pynn with the same arguments, in the same order and
with the same defaults, or it is listed below with the reason. Asking for an absent name raises an
error that says what to use instead.
"""

TAIL = """
## Differences worth knowing

- Numbers. Formulas and defaults are those of Keras 3; results agree to rounding. Random numbers do
  not: pynn has its own generator, so the same seed gives other weights than Keras, but the same
  ones on every machine and for any number of threads.
- All sizes of a sample are known: `Input((None, k))` is refused, only the number of samples is
  open. Pad sequences to one length; `Masking` leaves steps out.
- An initializer without a seed draws other values at every call; in Keras 3 it repeats them.
- Names of Keras 2 are understood where the meaning is the same: `lr` and `decay` of optimizers,
  `alpha` of `LeakyReLU`, `input_shape=` of any layer, `.h5` files.
- `call` is traced once into the engine's graph, as in Keras's compiled mode: Python code in it
  cannot branch on the values of tensors, and says so.
- The targets of `keras.datasets.california_housing` are in 100,000 dollars, as in scikit-learn;
  those of Keras are in dollars.
- `layer(x, training=False)` and `training=True` in a functional model hold whatever the model is
  run for, as the guides of Keras say; in Keras 3 `fit` and `predict` overrule them.
- An epoch of `steps_per_epoch` batches goes on where the last one stopped, and begins the data anew
  where they end; Keras 3 ends the epoch early there.
- A model with a `train_step` (or another step, or `compute_loss`) of its own is refused by `fit`,
  as the engine would not call it; a class whose arguments would be lost is refused by `save`.
- Targets `(n,)` are aligned with outputs `(n, 1)` for losses and metrics of your own, too; Keras
  broadcasts them to `(n, n)` there.
- NaN and infinity in arrays given to `fit` are refused. With a source of batches `batch_size` and
  `validation_split` are refused, which Keras ignores.
- `model.metrics` and `metrics_names` list the metrics themselves, without `compile_metrics`;
  `evaluate` returns the loss, then the losses of the outputs, then the metrics.
- `class_weight` and `sample_weight` given together are multiplied; Keras refuses them.
- A generator as `validation_data`: its batches are kept and evaluated after every epoch; Keras 3
  repeats the first two of them and then goes on.
- `to_categorical` returns `floatx`; losses called by hand return Python floats.
- Some mistakes raise another type of error, `TypeError` for an unknown argument for example.
- Arrays are NumPy arrays everywhere: `predict`, `evaluate`, `get_weights` and `keras.ops` return
  them, and history and logs hold Python floats.
"""


def main(arguments: list[str]) -> int:
    open_names = list(problems())
    for path, text in open_names:
        print(f"{path}: {text}")
    text = document()
    if arguments == ["--check"]:
        current = DOCUMENT.is_file() and DOCUMENT.read_text(encoding="utf-8") == text
        if not current:
            print(f"{DOCUMENT.relative_to(SOURCE)} is stale: run tools/compatibility.py")
        return int(bool(open_names) or not current)
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
