"""Chapter 00: one small network on the photographs, started from random weights or from those that learnt drawings."""

CONFIGS = [{"start": start} for start in ("random weights", "weights from drawings")]
SIZE, WIDTH, SOURCE_EPOCHS, EPOCHS = 32, 16, 30, 40
DRAWINGS = ("clipart", "noto", "twemoji", "openmoji")


def source(seed: int):
    """The small network, trained on the four domains of drawings."""
    import keras
    import numpy as np

    from tlcourse.material import backbones, data
    from tlcourse.methods import training

    domains = [data.stickers(domain, size=SIZE, test_fraction=0) for domain in DRAWINGS]
    x = np.concatenate([domain.x_train for domain in domains]).astype("float32")
    y = np.concatenate([domain.y_train for domain in domains])
    keras.utils.set_random_seed(seed)
    network = backbones.small_cnn(classes=8, input_size=SIZE, width=WIDTH)
    training.fit(network, (x, y), epochs=SOURCE_EPOCHS, learning_rate=2e-3, batch_size=64, seed=seed)
    return network


def trial(config: dict) -> list[dict]:
    """Test accuracy in percent after each epoch on the photographs; epoch 0 is before the first step."""
    import keras

    from tlcourse.material import backbones, data
    from tlcourse.methods import training

    seed = config["seed"]
    photos = data.stickers("photo", size=SIZE, seed=seed)
    train, test = ((x.astype("float32"), y) for x, y in (photos.train, photos.test))
    if config["start"] == "weights from drawings":
        network = source(seed)
    else:
        keras.utils.set_random_seed(seed)
        network = backbones.small_cnn(classes=8, input_size=SIZE, width=WIDTH)
    before = 100 * float((network.predict(test[0], verbose=0).argmax(axis=1) == test[1]).mean())
    history = training.fit(network, train, test, epochs=EPOCHS, learning_rate=1e-3, batch_size=16, seed=seed)
    after = history[history.split == "validation"]
    rows = [{"epoch": 0, "accuracy": before}]
    return rows + [{"epoch": int(e), "accuracy": float(a)} for e, a in zip(after.epoch, after.accuracy, strict=True)]
