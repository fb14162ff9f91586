"""Transfer learning: layers that learned some digits help to tell two others apart.

    PYNN_HOME=/folder/of/datasets python examples/transfer.py

Network A learns the digits 0 to 7 from many images and is saved. Network B is to tell 8 from 9 and
has a handful of images. It takes over the hidden layers of A: frozen at first, so that the new
output cannot spoil them, then trained on at a low learning rate.

Without PYNN_HOME the data are downloaded to ~/.pynn/datasets once.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import pynn
from pynn import layers

Rows = tuple[np.ndarray, np.ndarray]


def data() -> tuple[Rows, Rows]:
    """20,000 images to learn from and 10,000 others, as rows with pixels from 0 to 1; digits."""
    (x_train, y_train), (x_test, y_test) = pynn.datasets.mnist.load_data()
    x, x_others = (pixels.reshape(-1, 784) / np.float32(255) for pixels in (x_train, x_test))
    return (x[:20_000], y_train[:20_000]), (x_others, y_test)


def hidden_layers() -> list[pynn.Layer]:
    """Two hidden layers."""
    return [layers.Dense(100, activation="relu"), layers.Dense(50, activation="relu")]


def train_a(x: np.ndarray, y: np.ndarray, path: Path) -> None:
    """Learns eight digits and saves the network."""
    model = pynn.Sequential(
        [pynn.Input(x.shape[1:]), *hidden_layers(), layers.Dense(8, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=128, epochs=3, verbose=0)
    print(f"A, digits 0 to 7: {len(x):,} images, accuracy {history.history['accuracy'][-1]:.1%}")
    model.save(path)


def fit_b(model: pynn.Sequential, few: Rows, rate: float, epochs: int) -> None:
    """Trains on the few images there are; what is frozen counts from ``compile`` on."""
    model.compile(pynn.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    model.fit(*few, epochs=epochs, verbose=0)


def on_top_of(model_a: pynn.Sequential) -> pynn.Sequential:
    """Network B: frozen hidden layers of A and a new output."""
    # A and B would share their layers, and training B would change A: take those of a copy.
    copy = pynn.models.clone_model(model_a)
    copy.set_weights(model_a.get_weights())
    model_b = pynn.Sequential(copy.layers[:-1])
    model_b.add(layers.Dense(1, activation="sigmoid"))
    for layer in model_b.layers[:-1]:
        layer.trainable = False
    return model_b


def unchanged(model_b: pynn.Sequential, model_a: pynn.Sequential) -> bool:
    """Whether the hidden layers of B are still those of A, bit by bit."""
    weights = zip(model_b.get_weights()[:-2], model_a.get_weights()[:-2], strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in weights)


def main() -> None:
    """Trains A, then B with and without the layers of A, on several handfuls of images."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=3, help="images of each new digit")
    parser.add_argument("--trials", type=int, default=5, help="each with other images")
    options = parser.parse_args()

    pynn.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = data()
    old, new = y_train < 8, y_test >= 8
    test = x_test[new], y_test[new] == 9

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digits.keras")
        train_a(x_train[old], y_train[old], path)
        model_a = pynn.models.load_model(path)

    accuracies = []
    for trial in range(options.trials):
        random = np.random.default_rng(trial)
        places = [random.permutation(np.flatnonzero(y_train == digit)) for digit in (8, 9)]
        rows = np.concatenate([place[: options.images] for place in places])
        few = x_train[rows], y_train[rows] == 9

        alone = pynn.Sequential([*hidden_layers(), layers.Dense(1, activation="sigmoid")])
        fit_b(alone, few, rate=1e-3, epochs=150)

        model_b = on_top_of(model_a)
        fit_b(model_b, few, rate=3e-2, epochs=100)
        assert unchanged(model_b, model_a)
        frozen = model_b.evaluate(*test, verbose=0)[1]

        for layer in model_b.layers:
            layer.trainable = True
        fit_b(model_b, few, rate=1e-4, epochs=50)
        trained = model_b.evaluate(*test, verbose=0)[1]
        accuracies.append([alone.evaluate(*test, verbose=0)[1], frozen, trained])

    print(f"\nB, 8 or 9: {2 * options.images} images, accuracy on {new.sum():,} others")
    titles = ("from nothing", "layers of A, frozen", "layers of A, trained on")
    for title, accuracy in zip(titles, np.mean(accuracies, axis=0), strict=True):
        print(f"{title:24} {accuracy:.1%}")


if __name__ == "__main__":
    main()
