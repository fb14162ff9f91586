"""Names of ``tf.keras.optimizers.legacy``: the same optimizers, which take ``lr`` and ``decay``.

Example:
    >>> SGD(lr=0.1, decay=0.5).learning_rates(0, 3).round(4).tolist()
    [0.1, 0.0667, 0.05]
"""

from pynn.optimizers._adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from pynn.optimizers._base import Optimizer
from pynn.optimizers._moments import Adam, Adamax, Nadam
from pynn.optimizers._sgd import SGD

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "Ftrl",
    "Nadam",
    "Optimizer",
    "RMSprop",
]
