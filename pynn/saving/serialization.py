"""Objects into plain data and back; nothing but known classes is ever made from a file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from pynn import _legacy
from pynn._compat import message as absent_message
from pynn.layers import Layer
from pynn.utils.configurable import argument_names, plain_dtype, serialize, unknown_name
from pynn.utils.registration import CustomObjectScope, find_custom, is_unsafe, unsafe

# Where classes are looked for, in this order where a file does not say.
_KINDS = (
    "models", "layers", "optimizers", "optimizers.schedules", "initializers", "regularizers",
    "constraints", "losses", "metrics", "activations",
)  # fmt: skip

# Arguments that a class takes besides those in its own signature.
_FURTHER = {
    "layers": ("name", "trainable", "dtype", "activity_regularizer", "batch_shape", "input_shape"),
    "optimizers": (
        "name", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema",
        "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor",
        "gradient_accumulation_steps", "decay",
    ),
}  # fmt: skip

# What Keras writes for arguments that pynn does not have, where they change nothing.
_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "backend_config": ({},),
    "data_format": ("channels_last", "channels_first"),  # of samples without channels
    "ema_momentum": (0.99,),
    "renorm_momentum": (0.99,),
}

_shared: ContextVar[dict[Any, Any] | None] = ContextVar("shared_objects", default=None)


def serialize_keras_object(obj: Any) -> Any:
    """Returns the plain data (dictionaries, lists, numbers, strings) that describe an object.

    Args:
        obj: anything with ``get_config``, a function, an array, or a structure of them.

    Example:
        >>> import pynn
        >>> serialize_keras_object(pynn.regularizers.L2(0.5))["config"]
        {'l2': 0.5}
    """
    entry = serialize(obj)
    if not (isinstance(entry, dict) and isinstance(obj, Layer)):
        return entry
    for part in ("build_config", "compile_config"):
        describe = getattr(obj, f"get_{part}", None)
        described = describe() if describe is not None else None
        if described:
            entry[part] = serialize(described)
    return entry


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Makes the object that ``serialize_keras_object`` described.

    Classes are found by their last name in pynn, among the registered ones and in
    ``custom_objects``. No module is imported and no code is run because a file says so.

    Args:
        config: plain data.
        custom_objects: classes and functions of one's own by name.
        safe_mode: False allows Lambda layers whose function is in ``custom_objects``.
        kwargs: ``module_objects``, further names to look at.

    Raises:
        ValueError: an unknown class, or a configuration that does not fit its class.

    Example:
        >>> deserialize_keras_object({"class_name": "L2", "config": {"l2": 0.5}})
        L2(l2=0.5)
    """
    names = {**(kwargs.pop("module_objects", None) or {}), **(custom_objects or {})}
    if kwargs:
        raise TypeError(f"deserialize_keras_object: unknown argument `{next(iter(kwargs))}`.")
    with reading(names, safe_mode):
        return revive(config)


@contextmanager
def reading(custom_objects: Mapping[str, Any] | None, safe_mode: bool) -> Iterator[None]:
    """Sets what names mean while a file is read."""
    outer = _shared.get()
    if outer is None:
        _shared.set({})
    try:
        with CustomObjectScope(custom_objects), unsafe(not safe_mode):
            yield
    finally:
        _shared.set(outer)


def revive(config: Any, kind: str | None = None) -> Any:
    """Makes objects of all descriptions in a structure.

    Args:
        config: plain data.
        kind: the module of pynn in which the class is looked for first.
    """
    if isinstance(config, (list, tuple)):
        return [revive(item, kind) for item in config]
    if not isinstance(config, Mapping):
        if not isinstance(config, str):
            return config
        is_own = any(_is_own(config, place) for place in _KINDS)
        found = find_custom(config, own=[config] if is_own else ())
        return config if found is None else found
    if "class_name" not in config:
        return {key: revive(item, _kind_of_argument(key) or kind) for key, item in config.items()}
    shared = _shared.get()
    identity = config.get("shared_object_id")
    if shared is not None and identity is not None and identity in shared:
        return shared[identity]
    made = _make(config, kind)
    if shared is not None and identity is not None:
        shared[identity] = made
    return made


def _make(entry: Mapping[str, Any], kind: str | None) -> Any:
    name, config = str(entry["class_name"]), entry.get("config")
    if name in _PLAIN:
        return _PLAIN[name](config or {})
    if name == "function":
        return _function(config, entry)
    if name == "__lambda__":
        raise ValueError(_no_code("a lambda", "the argument it was given for"))
    config = {} if config is None else config
    if not isinstance(config, Mapping):
        raise ValueError(
            f"{name}: the configuration of a class must be a dictionary. Received: {config!r}"
        )
    custom = find_custom(entry.get("registered_name"), name, own=_class_names())
    if custom is not None:
        revives = hasattr(custom, "from_config")
        made = custom.from_config(plain_dtype(config)) if revives else custom
    else:
        if name.rpartition(">")[2] == "Lambda":
            config = {**config, **_lambda_functions(config)}
        cls, kind = find_class(name, entry, kind)
        made = _make_own(cls, kind, config)
    if isinstance(made, Layer):
        _build_and_compile(made, entry)
    return made


def _make_own(cls: Any, kind: str, config: Mapping[str, Any]) -> Any:
    """Makes an object of a class of pynn, with the objects among its arguments."""
    owner = f"{cls.__name__} {config['name']!r}" if "name" in config else cls.__name__
    if kind == "models":
        return cls.from_config(config)  # which revives its layers
    known = {*argument_names(cls), *_FURTHER.get(kind.partition(".")[0], ())}
    arguments = {}
    for key, value in config.items():
        if key in known:
            plain = key == "name" or cls.__name__ == "InputLayer" or not _describes(value)
            arguments[key] = value if plain else revive(value, _kind_of_argument(key))
        elif value not in (None, False, [], *_NEUTRAL.get(key, ())):
            raise ValueError(
                f"{owner}: the file sets an argument that pynn does not have. "
                f"Received: {key}={value!r}"
            )
    try:
        return cls.from_config(arguments)
    except TypeError as error:
        raise ValueError(f"{owner}: the configuration does not fit: {error}") from error


def _describes(value: Any) -> bool:
    return isinstance(value, (str, list, tuple, Mapping))


def _build_and_compile(layer: Layer, entry: Mapping[str, Any]) -> None:
    built = entry.get("build_config")
    if built and not layer.built and hasattr(layer, "build_from_config"):
        layer.build_from_config(built)
    compiled = entry.get("compile_config")
    if compiled and hasattr(layer, "compile_from_config"):
        layer.compile_from_config(compiled)


# ---- names -----------------------------------------------------------------------------------


def find_class(name: str, entry: Mapping[str, Any], kind: str | None = None) -> tuple[Any, str]:
    """Returns a class of pynn by its last name, and the module of pynn that has it.

    Args:
        name: the class name in the file.
        entry: the description it stands in: module and name of the object are used.
        kind: where to look first if the description does not say.

    Raises:
        ValueError: there is none; the error says how to go on.
    """
    name = name.rpartition(">")[2]
    first = _kind_of_module(entry.get("module"), name) or kind
    for place in (first, *_KINDS) if first else _KINDS:
        found = classes(place).get(name)
        if found is not None:
            return found, place
    config = entry.get("config")
    called = config.get("name") if isinstance(config, Mapping) else None
    what = f" of {called!r}" if isinstance(called, str) else ""
    of_keras = first if str(entry.get("module")).startswith("keras") else None
    absent = absent_message(f"{of_keras}.{name}") if of_keras else None
    if absent is not None:
        raise ValueError(f"{absent} Received: class={name!r}{what}")
    raise ValueError(
        f"{unknown_name('class', name, _class_names())}{what}. If it is a class of your own, "
        "decorate it with @pynn.saving.register_keras_serializable() or give "
        f"custom_objects={{{name!r}: {name}}}."
    )


@cache
def _class_names() -> frozenset[str]:
    return frozenset(name for kind in _KINDS for name in classes(kind))


@cache
def classes(kind: str) -> Mapping[str, Any]:
    """The classes of a module of pynn by name, Keras's own spellings included."""
    try:
        module = importlib.import_module(f"pynn.{kind}")
    except ModuleNotFoundError:
        return {}
    home = f"pynn.{kind.partition('.')[0]}"
    table = {
        name: cls
        for name, cls in vars(module).items()
        if isinstance(cls, type)
        and cls.__module__.startswith(home)
        and hasattr(cls, "from_config")
        and not name.startswith("_")
    }
    spellings = _legacy.CLASSES.get(kind.rstrip("s"), {})
    table |= {theirs: table[ours] for theirs, ours in spellings.items() if ours in table}
    return table


def _kind_of_module(module: Any, name: str) -> str | None:
    """Which module of pynn a module of Keras corresponds to."""
    parts = str(module or "").split(".")
    if "schedules" in parts:
        return "optimizers.schedules"
    if name in ("Sequential", "Functional", "Model"):
        return "models"
    return next((part for part in parts if part in _KINDS), None)


def _kind_of_argument(key: Any) -> str | None:
    """What the argument of a class, or of compile, describes."""
    text = str(key)
    for ending, kind in (
        ("initializer", "initializers"),
        ("regularizer", "regularizers"),
        ("constraint", "constraints"),
        ("metrics", "metrics"),
        ("loss", "losses"),
        ("optimizer", "optimizers"),
        ("activation", "layers"),
        ("layer", "layers"),
        ("learning_rate", "optimizers.schedules"),
    ):
        if text.endswith(ending):
            return kind
    return None


def _function(name: Any, entry: Mapping[str, Any]) -> Any:
    last = str(name).rpartition(">")[2]
    places = (_kind_of_module(entry.get("module"), last), "activations", "losses", "metrics")
    is_own = any(_is_own(last, place) for place in places)
    found = find_custom(name, entry.get("registered_name"), own=[last] if is_own else ())
    if found is not None:
        return found
    if is_own:
        return last  # which whoever takes it knows as a name
    raise ValueError(
        "Unknown function. Decorate it with @pynn.saving.register_keras_serializable() or give "
        f"custom_objects={{{last!r}: {last}}}. Received: {name!r}"
    )


def _is_own(name: str, kind: str | None) -> bool:
    """Whether a module of pynn has something to call of this name."""
    if kind not in _KINDS:
        return False
    return callable(getattr(importlib.import_module(f"pynn.{kind}"), name, None))


# ---- plain values and code -------------------------------------------------------------------

_PLAIN: Mapping[str, Any] = {
    "DTypePolicy": lambda config: config.get("name"),
    "Policy": lambda config: config.get("name"),
    "__bytes__": lambda config: str(config.get("value")).encode(),
    "__ellipsis__": lambda config: Ellipsis,
    "__numpy__": lambda config: np.array(config.get("value"), _number_type(config)),
    "__slice__": lambda config: slice(config.get("start"), config.get("stop"), config.get("step")),
    "__tensor__": lambda config: np.array(config.get("value"), _number_type(config)),
    "__tuple__": lambda config: tuple(config.get("value", ())),
}


def _number_type(config: Mapping[str, Any]) -> Any:
    dtype = np.dtype(str(config.get("dtype", "float32")))
    if dtype.kind not in "fiub":
        raise ValueError(f"An array in a file must hold numbers. Received: dtype={dtype}")
    return dtype


def _lambda_functions(config: Mapping[str, Any]) -> dict[str, Any]:
    """The functions of a Lambda layer: only those the caller gave, never code from the file."""
    name = config.get("name", "lambda")
    if not is_unsafe():
        raise ValueError(
            f"Lambda {name!r}: a Lambda layer holds Python code and is not loaded unless you ask: "
            "give safe_mode=False and its function as custom_objects, or call "
            "pynn.config.enable_unsafe_deserialization()."
        )
    found: dict[str, Any] = {}
    for key in ("function", "mask", "output_shape"):
        entry = config.get(key)
        if isinstance(entry, Mapping) and "class_name" in entry:
            of_name = entry.get("config") if entry["class_name"] == "function" else None
            found[key] = find_custom(of_name, entry.get("registered_name"), name)
            if found[key] is None:
                raise ValueError(_no_code(f"Lambda {name!r}", str(of_name or name)))
    return found


def _no_code(what: str, name: str) -> str:
    return (
        f"{what}: code in a file is never run. Give the function itself: "
        f"custom_objects={{{name!r}: function}}."
    )
