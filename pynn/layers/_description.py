"""What a layer says about itself in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pynn._graph.structure import map_shapes
from pynn.utils.configurable import (
    Configurable,
    argument_names,
    plain_dtype,
    required_names,
    serialize,
)

if TYPE_CHECKING:
    from typing_extensions import Self


class Described(Configurable):
    """The part of a layer from which it can be made again."""

    name: str
    dtype: str
    trainable: bool
    activity_regularizer: Any
    _input_shape: Any

    def build_for(self, input_shape: Any) -> None:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns name, trainable, dtype and the constructor's arguments as plain data."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        names = [name for name in argument_names(type(self)) if name not in config]
        missing = [name for name in required_names(type(self)) if not hasattr(self, name)]
        if missing and type(self).get_config is Described.get_config:
            raise NotImplementedError(
                f"{self.name}: a class whose constructor has arguments keeps them under the same "
                "names (self.units = units), or defines get_config. "
                f"Received: {type(self).__name__} without {', '.join(missing)}"
            )
        config |= {name: serialize(getattr(self, name)) for name in names if hasattr(self, name)}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer from what ``get_config`` returned (its weights are not part of that)."""
        return cls(**plain_dtype(config))

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shape of the input that the layer was built for, None before that."""
        if self._input_shape is None:
            return None
        return {"input_shape": map_shapes(list, self._input_shape)}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Makes the weights for the shape in ``config``, as ``get_build_config`` returned it."""
        shape = config.get("input_shape")
        if shape:
            self.build_for(map_shapes(lambda sizes: (None, *sizes[1:]), shape))
