"""scikit-learn's checks of what an estimator must do, on every estimator with a twin there.

The others are in test_wrapper_checks.py. A drop-in estimator is checked with the parameters that
scikit-learn checks its twin with, and may fail what scikit-learn declares for the twin, no more.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils._test_common import instance_generator
from sklearn.utils.estimator_checks import parametrize_with_checks

import pynn.sklearn
from twins import TWINS

WITHOUT_TWIN = {"KerasClassifier", "KerasRegressor"}


def estimator_classes() -> list[type[BaseEstimator]]:
    """Those that take the place of one of scikit-learn's."""
    exported = [getattr(pynn.sklearn, name) for name in pynn.sklearn.__all__]
    estimators = [
        one for one in exported if inspect.isclass(one) and issubclass(one, BaseEstimator)
    ]
    return [one for one in estimators if one.__name__ not in WITHOUT_TWIN]


def as_checked(estimator_class: type[BaseEstimator]) -> BaseEstimator:
    """An instance with the parameters for checks."""
    twin = TWINS[estimator_class.__name__]
    return estimator_class(**instance_generator.INIT_PARAMS.get(twin, {}))


def may_fail(estimator: BaseEstimator) -> dict[str, str]:
    """The checks that scikit-learn expects the twin to fail, with the reasons."""
    twin = TWINS[type(estimator).__name__]
    return dict(instance_generator.PER_ESTIMATOR_XFAIL_CHECKS.get(twin, {}))


def every_check() -> pytest.MarkDecorator:
    """Parametrizes a test with all estimators and checks.

    A few checks want other parameters of the estimator; scikit-learn lists them by class.
    """
    classes = estimator_classes()
    special = instance_generator.PER_ESTIMATOR_CHECK_PARAMS
    with pytest.MonkeyPatch.context() as patch:
        for one in classes:
            patch.setitem(special, one, special.get(TWINS[one.__name__], {}))
        mark: pytest.MarkDecorator = parametrize_with_checks(
            [as_checked(one) for one in classes], expected_failed_checks=may_fail
        )
        return mark


every_estimator = pytest.mark.parametrize(
    "estimator_class", estimator_classes(), ids=lambda one: one.__name__
)
drop_ins = pytest.mark.parametrize(
    "name", [one.__name__ for one in estimator_classes() if one.__name__ in TWINS]
)


# The checks warn on purpose, of many things.
@pytest.mark.filterwarnings("ignore")
@every_check()
def test_estimator(estimator: BaseEstimator, check: partial[None]) -> None:
    check(estimator)


# Checks that scikit-learn makes of its own estimators only, where the installed version has them.
OWN_CHECKS = [
    "check_all_zero_sample_weights_error",
    "check_dataframe_column_names_consistency",
    "check_param_validation",
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("check", [name for name in OWN_CHECKS if hasattr(estimator_checks, name)])
@every_estimator
def test_own_check(estimator_class: type[BaseEstimator], check: str) -> None:
    getattr(estimator_checks, check)(estimator_class.__name__, as_checked(estimator_class))


# What a drop-in looks like


@drop_ins
def test_constructor(name: str) -> None:
    """scikit-learn's parameters come first, in its order, with its defaults; more may follow."""

    def described(one: type[BaseEstimator]) -> list[tuple[str, Any, Any]]:
        parameters = inspect.signature(one).parameters.values()
        return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]

    theirs = described(TWINS[name])
    assert described(getattr(pynn, name))[: len(theirs)] == theirs


@drop_ins
def test_methods(name: str) -> None:
    """Every public method is there and takes scikit-learn's arguments in its order."""
    for method, theirs in inspect.getmembers(TWINS[name], inspect.isfunction):
        if not method.startswith("_"):
            ours = inspect.signature(getattr(getattr(pynn, name), method)).parameters
            names = list(inspect.signature(theirs).parameters)
            assert [one for one in ours if one in names] == names, method


@drop_ins
def test_looks_the_same(name: str) -> None:
    ours, theirs = getattr(pynn, name), TWINS[name]
    assert get_tags(ours()) == get_tags(theirs())
    for arguments in ({}, {"warm_start": True, "tol": 0.5}):
        assert repr(ours(**arguments)) == repr(theirs(**arguments))
