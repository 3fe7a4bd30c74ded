"""Chapter 19: a baseline that deserves the name. Scratch trained longer, with weight decay, or on shifted pictures.

Every recipe has four times the steps of `negative_transfer`. All start from the untrained network, for each target; and
for the letters from sources, too, so that transfer is compared with scratch that is trained alike. Which recipe a
target is measured against is chosen on the other targets: see the chapter.
"""

from tlcourse.experiments import negative_transfer

STEPS = 640
RECIPES = {"longer": {}, "weight decay": {"decay": 1.0}, "shifted": {"shift": 2, "turn": 10}}
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
    names = targets if source == "untrained" else ("letters",)
    return [
        {"target": name, "accuracy": trained(base, targets[name], **RECIPES[config["recipe"]], seed=seed)}
        for name in names
    ]


def trained(base, target: tuple, *, decay: float = 0.0, shift: int = 0, turn: int = 0, seed: int) -> float:
    """Balanced test accuracy in percent; like `negative_transfer.transferred` with nothing frozen, but for the recipe.

    Args:
        base: what the convolutions come from.
        target: `(x, y, x_test, y_test)`.
        decay: of the weights, times the rate (Loshchilov and Hutter, 2019).
        shift: the most pixels that a picture is moved by at each step, at random; its label stays.
        turn: the most degrees that it is turned by.
        seed: as there.
    """
    import keras
    from keras import layers

    from tlcourse.methods import layer_transfer, training

    x, y, x_test, y_test = target
    model = layer_transfer.transfer(base, negative_transfer.COPIED, int(y.max()) + 1, frozen=False, seed=10 * seed + 1)
    side = x.shape[1]
    moved = [
        layers.RandomTranslation(shift / side, shift / side, fill_mode="nearest", seed=seed),
        layers.RandomRotation(turn / 360, fill_mode="nearest", seed=seed),
    ]
    taught = keras.Sequential([keras.Input(x.shape[1:]), *moved, model]) if shift or turn else model
    adam = keras.optimizers.AdamW(negative_transfer.RATE, weight_decay=decay)
    epochs, batch_size = negative_transfer.passes(x, STEPS), negative_transfer.BATCH
    training.fit(taught, (x, y), epochs=epochs, learning_rate=adam, batch_size=batch_size, seed=10 * seed + 1)
    return training.accuracy(y_test, model.predict(x_test, batch_size=256, verbose=0))
