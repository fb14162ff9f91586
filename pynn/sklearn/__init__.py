"""scikit-learn's estimators, on pynn's engine.

``MLPClassifier``, ``MLPRegressor`` and ``Perceptron`` take the place of scikit-learn's: the same
parameters, fitted attributes and results for the same ``random_state``, in a fraction of the time,
with further parameters for what scikit-learn does not have. ``KerasClassifier`` and
``KerasRegressor`` make an estimator of any pynn model.

Example:
    >>> import numpy as np
    >>> from pynn.sklearn import MLPClassifier
    >>> X, y = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array(["no", "yes"])
    >>> MLPClassifier(solver="lbfgs", random_state=1).fit(X, y).predict([[2.0, 2.0]]).tolist()
    ['yes']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynn.sklearn.classifier import MLPClassifier as MLPClassifier
    from pynn.sklearn.perceptron import Perceptron as Perceptron
    from pynn.sklearn.regressor import MLPRegressor as MLPRegressor
    from pynn.sklearn.wrappers import KerasClassifier as KerasClassifier
    from pynn.sklearn.wrappers import KerasRegressor as KerasRegressor

_NAMES = {
    "KerasClassifier": "wrappers",
    "KerasRegressor": "wrappers",
    "MLPClassifier": "classifier",
    "MLPRegressor": "regressor",
    "Perceptron": "perceptron",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'pynn.sklearn' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"pynn.sklearn.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
