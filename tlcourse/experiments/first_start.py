"""Chapter 00: one small network on the photographs, started from random weights or from those that learnt drawings.

As a control the third start learnt only drawings of *other* things: none shares a word of its name with a photograph.
Each seed splits the photographs anew; `again` counts the first weights that are tried on one split.
"""

import re

STARTS = ("random weights", "weights from drawings", "weights from other things")
CONFIGS = [{"start": start, "again": again} for start in STARTS for again in range(3)]
SIZE, WIDTH, SOURCE_EPOCHS, EPOCHS = 32, 16, 30, 40
MINIATURE = {"config": {"start": "weights from drawings", "again": 1}, "WIDTH": 2, "SOURCE_EPOCHS": 1, "EPOCHS": 2}
DRAWINGS = ("clipart", "noto", "twemoji", "openmoji")


def drawings(*, other_things: bool = False):
    """Pictures `(n, SIZE, SIZE, 3)` float32 and labels of all drawings, or of those named like no photograph."""
    import numpy as np

    from tlcourse.material import assets, data

    photographed = {word for path in assets.files("stickers/photo") for word in words(path.stem)}
    files = [path for domain in DRAWINGS for path in assets.files(f"stickers/{domain}") if path.suffix == ".png"]
    if other_things:
        files = [path for path in files if not photographed & words(path.stem)]
    x = np.stack([data.read_picture(path, SIZE) for path in files]).astype("float32")
    return x, np.array([data.STICKER_CLASSES.index(path.parent.name) for path in files])


def words(name: str) -> set[str]:
    """The words of a file's name, without numbers: "red-car-2" is {"red", "car"}."""
    return {word for part in re.split(r"[-_ ]", name) if len(word := part.strip("0123456789")) > 2}


def source(seed: int, *, other_things: bool = False):
    """The small network, trained on drawings."""
    import keras

    from tlcourse.material import backbones
    from tlcourse.methods import training

    keras.utils.set_random_seed(seed)
    network = backbones.small_cnn(classes=8, input_size=SIZE, width=WIDTH)
    train = drawings(other_things=other_things)
    training.fit(network, train, epochs=SOURCE_EPOCHS, learning_rate=2e-3, batch_size=64, seed=seed)
    return network


def trial(config: dict) -> list[dict]:
    """Test accuracy in percent after each epoch on the photographs; epoch 0 is before the first step."""
    import keras

    from tlcourse.material import backbones, data
    from tlcourse.methods import training

    photos = data.stickers("photo", size=SIZE, seed=config["seed"])
    seed = config["seed"] + 1000 * config["again"]
    train, test = ((x.astype("float32"), y) for x, y in (photos.train, photos.test))
    if config["start"] != "random weights":
        network = source(seed, other_things=config["start"] == "weights from other things")
    else:
        keras.utils.set_random_seed(seed)
        network = backbones.small_cnn(classes=8, input_size=SIZE, width=WIDTH)
    before = 100 * float((network.predict(test[0], verbose=0).argmax(axis=1) == test[1]).mean())
    history = training.fit(network, train, test, epochs=EPOCHS, learning_rate=1e-3, batch_size=16, seed=seed)
    after = history[history.split == "validation"]
    rows = [{"epoch": 0, "accuracy": before}]
    return rows + [{"epoch": int(e), "accuracy": float(a)} for e, a in zip(after.epoch, after.accuracy, strict=True)]
