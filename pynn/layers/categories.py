"""Layers for class numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import constraints, initializers, ops, regularizers
from pynn.layers._base import Layer
from pynn.utils.checks import positive_integer

_MODES = ("one_hot", "multi_hot", "count")


class Embedding(Layer):
    """Turns class numbers into vectors that are learned.

    Formula: ``y[i, j] = embeddings[x[i, j]]``

    Args:
        input_dim: number of classes; the numbers are 0 to ``input_dim - 1``.
        output_dim: length of a vector.
        embeddings_initializer: initial vectors.
        embeddings_regularizer: penalty of the vectors in the loss.
        embeddings_constraint: applied to the vectors after each update.
        mask_zero: whether class 0 marks steps that do not count; see ``Masking``.
        weights: the vectors, an array of shape ``(input_dim, output_dim)`` or a list with it, in
            place of initial ones.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ...)``, whole numbers.

    Output shape:
        ``(batch, ..., output_dim)``; the weight ``embeddings`` is ``(input_dim, output_dim)``.

    Raises:
        ValueError: a size is not positive, or the given vectors have another shape.

    Example:
        >>> layer = Embedding(3, 2, weights=[[[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]])
        >>> layer([[2, 1]]).tolist()
        [[[3.0, 4.0], [1.0, 2.0]]]
    """

    _one_input = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_length" in kwargs:
            kwargs.setdefault("input_shape", (kwargs.pop("input_length"),))
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        super().__init__(**kwargs)
        if weights is not None:
            self.build(None)
            self.built = True
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def call(self, inputs: Any) -> Any:
        return ops.take(self.embeddings, inputs, axis=0)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Zeros where the class is 0, if ``mask_zero`` is set."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["weights"]  # they are saved as weights
        return config


class CategoryEncoding(Layer):
    """Turns class numbers into rows with one place for each class.

    Formula: ``one_hot``: 1 at the class of a number; ``multi_hot``: 1 at each class among the
    numbers of a sample; ``count``: how often each class is among them.

    Args:
        num_tokens: number of classes.
        output_mode: ``"multi_hot"``, ``"one_hot"`` or ``"count"``.
        sparse: only False.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch,)`` or ``(batch, ..., numbers)``, whole numbers from 0 to ``num_tokens - 1``.

    Output shape:
        ``one_hot``: the input's with an axis of length ``num_tokens`` behind it, or in place of a
        last axis of length 1; else that axis replaces the last one.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> CategoryEncoding(3, output_mode="count")([[0, 2, 2]]).tolist()
        [[1.0, 0.0, 2.0]]
    """

    _one_input = True

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if output_mode == "binary":
            output_mode = "multi_hot"  # its name in Keras 2
        if output_mode not in _MODES:
            raise ValueError(
                "CategoryEncoding: `output_mode` must be 'one_hot', 'multi_hot' or 'count'. "
                f"Received: output_mode={output_mode!r}"
            )
        if sparse:
            raise ValueError("CategoryEncoding: arrays are dense. Received: sparse=True")
        self.num_tokens = positive_integer("CategoryEncoding", "num_tokens", num_tokens)
        self.output_mode, self.sparse = output_mode, False
        super().__init__(**kwargs)

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """Encodes class numbers.

        Args:
            inputs: the numbers.
            count_weights: what each number counts for, of the shape of ``inputs``; for ``count``.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"{self.name}: `count_weights` belong to output_mode='count'. "
                f"Received: output_mode={self.output_mode!r}"
            )
        if len(inputs.shape) == 1:
            inputs = inputs[:, None]
            count_weights = None if count_weights is None else count_weights[:, None]
        if self.output_mode == "one_hot":
            if inputs.shape[-1] == 1:
                inputs = inputs[..., 0]
            return ops.one_hot(inputs, self.num_tokens)
        hits = ops.one_hot(inputs, self.num_tokens)
        if self.output_mode == "multi_hot":
            return ops.max(hits, axis=-2)
        hits = hits if count_weights is None else hits * count_weights[..., None]
        return ops.sum(hits, axis=-2)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        shape = tuple(input_shape)
        if len(shape) > 1 and (self.output_mode != "one_hot" or shape[-1] == 1):
            shape = shape[:-1]
        return (*shape, self.num_tokens)
