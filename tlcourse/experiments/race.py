"""Chapter 05: a race to the same accuracy, features extracted once against the frozen-base loop of the Keras guide.

The guide trains a new head with the frozen backbone in front of it, so that every epoch sends every picture through
the backbone again. The probe sends each picture through once.
"""

from __future__ import annotations

import time

CONFIGS = [{"size": 224}]
CLOCKED = ("probe_seconds", "again_seconds", "guide_seconds", "guide_over_probe", "guide_over_again")
BATCH, MOST_EPOCHS = 32, 20
MINIATURE = {"config": {"size": 32}, "MOST_EPOCHS": 1}


def trial(config: dict) -> list[dict]:
    """See `race`; both sides are timed within this one run."""
    return [race(size=config["size"], seed=config["seed"])]


def race(*, size: int = 128, seed: int = 0) -> dict[str, float]:
    """Time both on the photographs, each until it reaches the probe's test accuracy (testing is off the clock).

    Args:
        size: height and width of the pictures in pixels.
        seed: for the split, the new head and the order of the pictures.

    Returns:
        `accuracy` of the probe and `guide_accuracy` in percent, `probe_seconds` (extraction and classifier),
        `again_seconds` (with the features on disk already), `guide_seconds`, `guide_epochs`, and the ratios
        `guide_over_probe` and `guide_over_again`. If the guide's loop does not get there in 20 epochs, its figures are
        those after 20, and the ratios are too kind to it.
    """
    import keras
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer
    from sklearn.svm import SVC

    from tlcourse.material import backbones, data, features

    photos = data.stickers("photo", size=size, seed=seed)
    keras.utils.set_random_seed(seed)
    backbone = backbones.efficientnet_lite0(input_size=size)
    features.extract(backbone, photos.x_train[:8], cache=False)  # both start warm: no tracing in the timed part

    def probe(cache: bool) -> tuple[float, float]:
        start = time.perf_counter()
        svm = make_pipeline(Normalizer(), SVC(kernel="linear", C=10))
        svm.fit(features.extract(backbone, photos.x_train, cache=cache), photos.y_train)
        seconds = time.perf_counter() - start
        return 100 * svm.score(features.extract(backbone, photos.x_test, cache=cache), photos.y_test), seconds

    accuracy, probe_seconds = probe(cache=False)
    probe(cache=True)
    _, again_seconds = probe(cache=True)

    backbone.trainable = False
    inputs = keras.Input((size, size, 3))
    model = keras.Model(inputs, keras.layers.Dense(8)(backbone(inputs, training=False)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    x, y = photos.x_train.astype("float32"), photos.y_train
    test = (photos.x_test.astype("float32"), photos.y_test)
    weights = model.get_weights()
    model.fit(x, y, batch_size=BATCH, verbose=0)
    model.evaluate(*test, batch_size=BATCH, verbose=0)
    model.set_weights(weights)
    epochs, guide_accuracy, guide_seconds = 0, 0.0, 0.0
    while guide_accuracy < accuracy and epochs < MOST_EPOCHS:
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, verbose=0)
        guide_seconds += time.perf_counter() - start
        epochs += 1
        guide_accuracy = 100 * model.evaluate(*test, batch_size=BATCH, verbose=0)[1]  # off the clock, as the probe's
    return {
        "accuracy": accuracy,
        "guide_accuracy": guide_accuracy,
        "probe_seconds": probe_seconds,
        "again_seconds": again_seconds,
        "guide_seconds": guide_seconds,
        "guide_epochs": epochs,
        "guide_over_probe": guide_seconds / probe_seconds,
        "guide_over_again": guide_seconds / again_seconds,
    }
