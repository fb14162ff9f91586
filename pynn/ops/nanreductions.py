"""Sums, means, extremes and the like of what is not NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.ops._dispatch import public
from pynn.ops._primitives import reduce
from pynn.ops._tables import divide, equal, isnan, sqrt, square, subtract
from pynn.ops.elementwise import where
from pynn.ops.reductions import argmax, argmin, cumsum


@public
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes of what is not NaN."""
    return reduce("sum", where(isnan(x), 0.0, x), axis, keepdims)


@public
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product over axes of what is not NaN."""
    return reduce("prod", where(isnan(x), 1.0, x), axis, keepdims)


@public
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes of what is not NaN."""
    counted = reduce("sum", equal(isnan(x), 0.0), axis, keepdims)
    return divide(nansum(x, axis, keepdims), counted)


@public
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance over axes of what is not NaN."""
    return nanmean(square(subtract(x, nanmean(x, axis, True))), axis, keepdims)


@public
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation over axes of what is not NaN."""
    return sqrt(nanvar(x, axis, keepdims))


@public
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number along axes that is not NaN."""
    y = reduce("max", where(isnan(x), -np.inf, x), axis, keepdims)
    return where(reduce("all", isnan(x), axis, keepdims), np.nan, y)


@public
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest number along axes that is not NaN."""
    y = reduce("min", where(isnan(x), np.inf, x), axis, keepdims)
    return where(reduce("all", isnan(x), axis, keepdims), np.nan, y)


@public
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the largest number along an axis that is not NaN; -1 where all are."""
    y = argmax(where(isnan(x), -np.inf, x), axis, keepdims)
    return where(reduce("all", isnan(x), axis, keepdims), -1, y)


@public
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the smallest number along an axis that is not NaN; -1 where all are."""
    y = argmin(where(isnan(x), np.inf, x), axis, keepdims)
    return where(reduce("all", isnan(x), axis, keepdims), -1, y)


@public
def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """``cumsum`` with NaN taken for 0."""
    return cumsum(where(isnan(x), 0.0, x), axis, dtype)
