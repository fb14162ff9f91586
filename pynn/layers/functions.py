"""Functions as layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pynn._graph.structure import flatten, map_structure
from pynn.layers._base import Layer
from pynn.utils.configurable import serialize
from pynn.utils.registration import find_custom


class Lambda(Layer):
    """A function as a layer.

    Args:
        function: takes the inputs, and ``mask`` or ``training`` if it names them; written with
            ``pynn.ops``.
        output_shape: the shape of one sample of the result, or a function of the input's shape.
            The shape is known without it; one that differs is an error.
        mask: a function of inputs and mask that returns the mask of the result; None: no mask.
        arguments: further arguments of the function, by name.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        TypeError: ``function`` or ``mask`` cannot be called, or another argument is of no use.
        ValueError: the result's shape is not ``output_shape``.

    A file keeps the name of a function, never its code: ``load_model`` needs ``safe_mode=False``
    and the function itself in ``custom_objects``.

    Example:
        >>> import pynn
        >>> Lambda(lambda x: pynn.ops.square(x))([[2.0, 3.0]]).tolist()
        [[4.0, 9.0]]
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        for name, value in (("function", function), ("mask", mask)):
            if not callable(value) and (value is not None or name == "function"):
                raise TypeError(f"Lambda: `{name}` must be callable. Received: {name}={value!r}")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise TypeError(
                f"Lambda: `arguments` must be a dictionary. Received: arguments={arguments!r}"
            )
        if not (callable(output_shape) or isinstance(output_shape, (list, tuple, type(None)))):
            raise TypeError(
                "Lambda: `output_shape` must be a shape or a function of one. "
                f"Received: output_shape={output_shape!r}"
            )
        self.function, self.mask = function, mask
        self.required_shape = output_shape
        self.arguments = dict(arguments or {})
        super().__init__(**kwargs)

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        names = inspect.signature(self.function).parameters
        given = {"mask": mask, "training": training}
        extra = {name: value for name, value in given.items() if name in names}
        y = self.function(inputs, **{**extra, **self.arguments})
        self._check_shape(inputs, y)
        return y

    def _check_shape(self, inputs: Any, y: Any) -> None:
        expected = self.required_shape
        if expected is None:
            return
        if callable(expected):
            expected = tuple(expected(map_structure(lambda x: x.shape, inputs)))[1:]
        for part in flatten(y):
            if tuple(part.shape[1:]) != tuple(expected):
                raise ValueError(
                    f"{self.name}: the function must return samples of the shape `output_shape`. "
                    f"Received: shape {tuple(part.shape[1:])}, output_shape={tuple(expected)}"
                )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """What the function for the mask returns."""
        return None if self.mask is None else self.mask(inputs, previous_mask)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("output_shape", None)  # that of the layer, if it is built
        if self.required_shape is not None:
            config["output_shape"] = serialize(self.required_shape)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Makes the layer; a function that is only described must be registered.

        Raises:
            ValueError: the function is not known.
        """
        arguments = dict(config)
        for name in ("function", "mask", "output_shape"):
            entry = arguments.get(name)
            if isinstance(entry, Mapping) and "class_name" in entry:
                of_name = entry.get("config") if entry["class_name"] == "function" else None
                arguments[name] = find_custom(of_name, entry.get("registered_name"))
                if arguments[name] is None:
                    raise ValueError(
                        "Lambda: code is not part of a configuration. Register the function with "
                        f"pynn.saving.register_keras_serializable. Received: {name}={of_name!r}"
                    )
        return cls(**arguments)
