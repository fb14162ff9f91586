"""What models are compiled with, described in pynn and in real Keras as their files have it.

``python tests/saved_objects.py file``, by an interpreter that has Keras, is the side of Keras: it
reads what pynn described there and adds its own. Both sides run the same functions here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from golden.losses import LOSSES
from golden.metrics import METRICS
from golden.optimizers import SCHEDULES, every
from golden.runs import Keras

Make = Callable[[Keras], Any]


def object_of(keras: Keras, module: str, name: str, options: dict[str, Any]) -> Any:
    place = keras
    for part in module.split("."):
        place = getattr(place, part)
    return getattr(place, name.partition("/")[0])(**options)


def scheduled(keras: Keras, name: str, options: dict[str, Any]) -> Any:
    """A schedule where it stands in files: in an optimizer."""
    return keras.optimizers.SGD(object_of(keras, "optimizers.schedules", name, options))


def of(module: str, name: str, options: dict[str, Any]) -> Make:
    return partial(object_of, module=module, name=name, options=options)


CASES: dict[str, Make] = {
    **{f"losses.{name}": of("losses", name, given) for name, (_, given) in LOSSES.items()},
    **{
        f"losses.{name}/sum": of("losses", name, {**given, "reduction": "sum"})
        for name, (_, given) in LOSSES.items()
    },
    **{f"metrics.{name}": of("metrics", name, given) for name, (_, given) in METRICS.items()},
    **{f"optimizers.{name}": of("optimizers", name, given) for name, given in every().items()},
    **{
        f"optimizers.schedules.{name}": partial(scheduled, name=name, options=given)
        for name, given in SCHEDULES.items()
    },
}


def describe(keras: Keras) -> dict[str, Any]:
    """The description of every object."""
    found = {}
    for name, make in CASES.items():
        keras.utils.clear_session(free_memory=False)
        found[name] = keras.saving.serialize_keras_object(make(keras))
    return found


def read(keras: Keras, described: Any, name: str) -> list[Any]:
    """The configurations of an object made from its description, and of one made anew."""
    keras.utils.clear_session(free_memory=False)
    made = CASES[name](keras)
    keras.utils.clear_session(free_memory=False)
    opened = keras.saving.deserialize_keras_object(described)
    assert type(opened) is type(made), type(opened)
    return [one.get_config() for one in (opened, made)]


def main(file: Path) -> None:
    import keras

    ours = json.loads(file.read_text())
    found: dict[str, Any] = {}
    for name in CASES:
        try:
            found[name] = {"configs": read(keras, ours[name], name)}
        except Exception as error:  # the other objects are still worth reading
            found[name] = {"error": f"{type(error).__name__}: {error}"}
    result = {"read": found, "described": describe(keras)}
    file.write_text(json.dumps(result, default=lambda value: value.tolist()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
