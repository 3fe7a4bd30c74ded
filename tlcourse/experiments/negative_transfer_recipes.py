"""Chapter 19: a baseline that deserves the name. Scratch trained longer, or on shifted pictures.

Both recipes have four times the steps of `negative_transfer`. They start from the untrained network, for five targets;
and for the letters the better one starts from sources, too, so that transfer is compared with scratch trained alike.
"""

from tlcourse.experiments import negative_transfer

STEPS = 640
RECIPES = ("longer", "shifted")
TARGETS = ("letters", "scripts", "digits", "fashion", "photographs")
SHIFT, TURN = 2, 10  # pixels and degrees at most, at random at each step
CONFIGS = [
    *({"source": "untrained", "recipe": recipe} for recipe in RECIPES),
    *({"source": source, "recipe": "shifted"} for source in ("same fonts", "letters", "fonts")),
]
MINIATURE = {
    "config": {"source": "letters", "recipe": "shifted"},
    "STEPS": 1,
    "negative_transfer.SOURCE_STEPS": 1,
    "negative_transfer.BATCH": 8,
}


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent by target, everything fine-tuned; from a trained source on the letters only."""
    seed, source = config["seed"], config["source"]
    sources, targets = negative_transfer.worlds(seed)
    base = negative_transfer.source_network(source, sources, seed=seed)
    names = TARGETS if source == "untrained" else ("letters",)
    return [
        {"target": name, "accuracy": trained(base, targets[name], shifted=config["recipe"] == "shifted", seed=seed)}
        for name in names
    ]


def trained(base, target: tuple, *, shifted: bool, seed: int) -> float:
    """Balanced test accuracy in percent; like `negative_transfer.transferred` with nothing frozen, but for the recipe.

    Args:
        base: what the convolutions come from.
        target: `(x, y, x_test, y_test)`.
        shifted: whether pictures are moved and turned a little at each step; their labels stay.
        seed: as there.
    """
    import keras
    from keras import layers

    from tlcourse.methods import layer_transfer, training

    x, y, x_test, y_test = target
    model = layer_transfer.transfer(base, negative_transfer.COPIED, int(y.max()) + 1, frozen=False, seed=10 * seed + 1)
    share = SHIFT / x.shape[1]
    moves = [
        layers.RandomTranslation(share, share, fill_mode="nearest", seed=seed),
        layers.RandomRotation(TURN / 360, fill_mode="nearest", seed=seed),
    ]
    taught = keras.Sequential([keras.Input(x.shape[1:]), *moves, model]) if shifted else model
    epochs, batch, rate = negative_transfer.passes(x, STEPS), negative_transfer.BATCH, negative_transfer.RATE
    training.fit(taught, (x, y), epochs=epochs, learning_rate=rate, batch_size=batch, seed=10 * seed + 1)
    return training.accuracy(y_test, model.predict(x_test, batch_size=256, verbose=0))
