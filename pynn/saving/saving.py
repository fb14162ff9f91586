"""Models and weights to files and back."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from pynn.models import Model
from pynn.saving import files, hdf5, legacy_weights, optimizer_state, probe, weights
from pynn.saving.compiling import compile_from_config, full_names
from pynn.saving.legacy import by_kind, generation_of, modern_model
from pynn.saving.serialization import reading, revive, serialize_keras_object
from pynn.utils.limits import weights_within

_OPTIMIZER = "optimizer/vars"
_MOST_ELEMENTS_PER_BYTE = 64  # of a file whose arrays are compressed


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
) -> None:
    """Saves a model: its layers, weights, what it was compiled with, the optimizer's state.

    The ending of the name says which kind of file it becomes: ``.keras`` (a zip archive, as Keras 3
    writes it) or ``.h5``/``.hdf5`` (as all Keras versions read it). A few rows and the model's
    outputs for them are stored, too; loading checks them.

    Args:
        model: a built model.
        filepath: where to; the file appears whole or not at all.
        overwrite: False to keep a file that is there.
        zipped: only True (None means the same).
        include_optimizer: whether to save what the model was compiled with, and how far training
            has come.

    Raises:
        ValueError: another ending, or a model whose weights are not made yet.
        FileExistsError: there is a file and ``overwrite`` is False.
        OSError: the file cannot be written.

    Example:
        >>> import os, tempfile
        >>> import pynn
        >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1)])
        >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
        >>> save_model(model, path)
        >>> load_model(path).count_params()
        3
    """
    path = os.fspath(filepath)
    if zipped is False:
        raise ValueError("save_model: a model is one file. Received: zipped=False")
    if not path.endswith((".keras", ".h5", ".hdf5")):
        raise ValueError(
            "The name of a model's file must end in .keras or .h5 (weights alone: save_weights). "
            f"Received: filepath={path!r}"
        )
    if not isinstance(model, Model):
        raise TypeError(f"save_model: expected a model. Received: {type(model).__name__}")
    _built(model, "saved")
    write = _write_keras if path.endswith(".keras") else _write_h5
    files.replace(path, lambda file: write(file, model, include_optimizer), overwrite)


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads a model that pynn or Keras (1, 2 or 3) saved as ``.keras`` or ``.h5``.

    Nothing in a file is ever executed: layers, losses and so on are found by name in pynn, among
    what ``register_keras_serializable`` registered, and in ``custom_objects``.

    Args:
        filepath: the file.
        custom_objects: classes and functions of your own, by name.
        compile: whether to compile the model as it was, and to continue the optimizer's state.
        safe_mode: False allows Lambda layers whose function is in ``custom_objects``.

    Raises:
        OSError: no such file, or a damaged one.
        ValueError: an unknown class, contents that do not fit together, or a model that does not
            compute what it computed when it was saved.

    Warns:
        UserWarning: the model was compiled with something unknown; it is not compiled then.
    """
    path = os.fspath(filepath)
    load = _load_keras if files.kind_of(path) == "zip" else _load_h5
    most = _MOST_ELEMENTS_PER_BYTE * os.path.getsize(path) + (1 << 20)
    with reading(custom_objects, safe_mode), weights_within(most):
        return load(path, compile)


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Saves a model's weights (and the optimizer's state) as Keras 3 does.

    Args:
        model: a built model.
        filepath: must end in ``.weights.h5``.
        overwrite: False to keep a file that is there.

    Raises:
        ValueError: another ending, or a model whose weights are not made yet.
        FileExistsError: there is a file and ``overwrite`` is False.
        OSError: the file cannot be written.
    """
    path = os.fspath(filepath)
    if not path.endswith(".weights.h5"):
        raise ValueError(
            f"The name of a file of weights must end in .weights.h5. Received: filepath={path!r}"
        )
    _built(model, "saved")
    files.replace(path, lambda file: _write_weights(file, model, True), overwrite)


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Sets a model's weights to those in a ``.weights.h5``, ``.h5`` or ``.keras`` file.

    Args:
        model: a built model with the same layers.
        filepath: the file, written by pynn or by Keras 1, 2 or 3.
        skip_mismatch: whether to leave layers as they are that the file does not fit, with a
            warning.
        by_name: whether to match layers by name instead of by order; for files in the older
            layout, whose layers have names.

    Raises:
        OSError: no such file, or a damaged one.
        ValueError: the file does not fit the model; nothing has been changed then.
    """
    path = os.fspath(filepath)
    _built(model, "loaded into")
    if files.kind_of(path) == "zip":
        with files.Archive(path) as archive:
            source: Any = archive.weights()
    else:
        source = path
    with hdf5.reading(source, path) as file:
        holder = hdf5.group(file, "model_weights") or file
        if "layer_names" in holder.attrs or "layer_names0" in holder.attrs:
            legacy_weights.read(holder, model, skip_mismatch, by_name)
            return
        if by_name:
            raise ValueError(
                "load_weights: layers can be matched by name only where the file names them, that "
                f"is in older .h5 files. Received: by_name=True, filepath={path!r}"
            )
        weights.read(file, model, skip_mismatch)
        if model.compiled and not skip_mismatch:
            _restore_optimizer(file, model)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Makes a model, with new weights, from what ``model.to_json()`` returned.

    Args:
        json_string: the JSON text, also that of older versions of Keras.
        custom_objects: classes and functions of your own, by name.

    Raises:
        TypeError: no text.
        ValueError: no JSON, or an unknown class.
    """
    if not isinstance(json_string, (str, bytes)):
        raise TypeError(
            f"model_from_json: `json_string` must be text. Received: json_string={json_string!r}"
        )
    entry = files.parse_json(json_string, "model_from_json: the text")
    version = entry.get("keras_version") if isinstance(entry, dict) else None
    modern = "module" in entry if isinstance(entry, dict) else False
    generation = 3 if modern and version is None else generation_of(version)
    with reading(custom_objects, safe_mode=True):
        return _model(entry, generation, "model_from_json")


# ---- .keras ----------------------------------------------------------------------------------


def _write_keras(file: Any, model: Any, include_optimizer: bool) -> None:
    entry = serialize_keras_object(model)
    if not include_optimizer:
        entry.pop("compile_config", None)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    content = BytesIO()
    _write_weights(content, model, include_optimizer)
    members = {
        files.METADATA: json.dumps(
            {"keras_version": files.KERAS_VERSION, "date_saved": now}
        ).encode(),
        files.CONFIG: json.dumps(entry).encode(),
        files.WEIGHTS: content.getvalue(),
    }
    files.write_zip(file, members)


def _write_weights(target: Any, model: Any, include_optimizer: bool) -> None:
    with hdf5.writing(target) as file:
        weights.write(file, model)
        saved = optimizer_state.arrays(model) if include_optimizer else []
        if saved:
            holder = file.create_group(_OPTIMIZER)
            holder.attrs["name"] = model.optimizer.name
            hdf5.write_arrays(holder, {str(i): values for i, (_, values) in enumerate(saved)})
        probe.write(file, model)


def _load_keras(path: str, compile: bool) -> Any:
    with files.Archive(path) as archive:
        entry, metadata = archive.text(files.CONFIG), archive.text(files.METADATA)
        content = archive.weights()
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    model = _model_for_weights(entry, generation_of(version), path)
    with hdf5.reading(content, path) as file:
        weights.read(file, model)
        probe.check(file, model)
        if compile and entry.get("compile_config"):
            compile_from_config(model, entry["compile_config"])
            if model.compiled:
                _restore_optimizer(file, model)
    return model


def _restore_optimizer(file: Any, model: Any) -> None:
    holder = hdf5.group(file, _OPTIMIZER)
    if holder is not None:
        optimizer_state.restore(holder, [str(i) for i in range(len(holder))], model)


# ---- .h5 -------------------------------------------------------------------------------------


def _write_h5(target: Any, model: Any, include_optimizer: bool) -> None:
    entry = serialize_keras_object(model)
    training = entry.pop("compile_config", None)
    with hdf5.writing(target) as file:
        file.attrs["keras_version"] = files.KERAS_VERSION
        file.attrs["backend"] = "pynn"
        file.attrs["model_config"] = json.dumps(entry)
        legacy_weights.write(file.create_group("model_weights"), model)
        if include_optimizer and training:
            training["optimizer_config"] = training.pop("optimizer")
            training["loss"] = full_names(training["loss"])
            file.attrs["training_config"] = json.dumps(training)
            saved = optimizer_state.arrays(model)
            if saved:
                holder = file.create_group("optimizer_weights")
                names = [f"{model.optimizer.name}/{name}" for name, _ in saved]
                hdf5.write_names(holder, "weight_names", names)
                values = (values for _, values in saved)
                hdf5.write_arrays(holder, dict(zip(names, values, strict=True)))
        probe.write(file, model)


def _load_h5(path: str, compile: bool) -> Any:
    with hdf5.reading(path, path) as file:
        config = hdf5.text(file, "model_config")
        holder = hdf5.group(file, "model_weights")
        if config is None or holder is None:
            raise ValueError(
                "The file has weights only: make the model and call model.load_weights(filepath). "
                f"Received: filepath={path!r}"
            )
        entry = files.parse_json(config, f"model_config in {path!r}")
        version = hdf5.text(file, "keras_version") or hdf5.text(holder, "keras_version")
        generation = generation_of(version)
        model = _model_for_weights(entry, generation, path)
        legacy_weights.read(holder, model)
        probe.check(file, model)
        training = hdf5.text(file, "training_config")
        if compile and training is not None:
            compile_from_config(model, files.parse_json(training, "training_config"))
            states = hdf5.group(file, "optimizer_weights")
            if model.compiled and states is not None:
                names = hdf5.names(states, "weight_names")
                optimizer_state.restore(states, names, model, by_kind(version))
    return model


# ---- common ----------------------------------------------------------------------------------


def _model(entry: Any, generation: int, source: str) -> Any:
    """Makes the model of a description, not compiled."""
    if not isinstance(entry, dict) or "class_name" not in entry:
        raise ValueError(f"Expected the description of a model. Received: {source!r}")
    modern = dict(modern_model(entry, generation))
    modern.pop("compile_config", None)
    try:
        model = revive(modern, "models")
    except (AttributeError, KeyError, IndexError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(
            f"The description of the model does not make sense: {type(error).__name__}: {error}. "
            f"Received: {source!r}"
        ) from error
    if not isinstance(model, Model):
        raise ValueError(f"The file describes a {type(model).__name__}, not a model: {source!r}")
    return model


def _model_for_weights(entry: Any, generation: int, source: str) -> Any:
    model = _model(entry, generation, source)
    _built(model, "loaded into")
    return model


def _built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"{model.name}: weights can be {what} once they are made: begin with an Input, call "
            "build, or call the model on data."
        )
