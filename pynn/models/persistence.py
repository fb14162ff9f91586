"""The methods of a model that concern files; ``pynn.saving`` does the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Persistence:
    """The part of a model that is saved and loaded. ``Model`` mixes it in."""

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        include_optimizer: bool = True,
    ) -> None:
        """Saves the model as a ``.keras`` or ``.h5`` file: see ``pynn.saving.save_model``."""
        from pynn import saving

        saving.save_model(self, filepath, overwrite, zipped, include_optimizer)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Saves the weights as a ``.weights.h5`` file: see ``pynn.saving.save_weights``."""
        from pynn import saving

        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Sets the weights to those in a file: see ``pynn.saving.load_weights``."""
        from pynn import saving

        saving.load_weights(self, filepath, skip_mismatch, by_name)

    def to_json(self, **kwargs: Any) -> str:
        """Returns the model's description, without weights, as JSON; kwargs go to ``json.dumps``.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((2,)), pynn.layers.Dense(1)])
            >>> pynn.models.model_from_json(model.to_json()).count_params()
            3
        """
        import json

        from pynn import saving

        return json.dumps(saving.serialize_keras_object(self), **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what ``compile`` was given as plain data; empty before it."""
        from pynn.saving.compiling import compile_config

        return compile_config(self)

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compiles the model as ``get_compile_config`` says."""
        from pynn.saving.compiling import compile_from_config

        compile_from_config(self, config)
