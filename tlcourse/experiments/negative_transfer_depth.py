"""Chapter 19: did the network that learnt fonts throw away what the letters ask for, and in which of its layers?

Its first two, four or six layers are copied. Beside it stand the same weights without their structure, those of every
filter in random order; layers that learnt letters; and layers that learnt nothing.
"""

from tlcourse.experiments import negative_transfer

DEPTHS = (2, 4, 6)
CONFIGS = [{"source": source} for source in ("fonts", "fonts, shuffled weights", "letters", "untrained")]
MINIATURE = {
    "config": {"source": "letters, shuffled weights"},
    "negative_transfer.TARGET_STEPS": 1,
    "negative_transfer.SOURCE_STEPS": 1,
    "negative_transfer.BATCH": 8,
}


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on the letters, by how many layers were copied, frozen and fine-tuned."""
    seed = config["seed"]
    source, *changed = config["source"].split(", ")
    sources, targets = negative_transfer.worlds(seed)
    base = negative_transfer.source_network(source, sources, seed=seed)
    if changed:
        shuffle_weights(base, seed=seed)
    rows = []
    for n in DEPTHS:
        for treatment in ("frozen", "fine-tuned"):
            frozen = treatment == "frozen"
            reached = negative_transfer.transferred(base, targets["letters"], frozen=frozen, copied=n, seed=seed)
            rows.append({"copied": n, "treatment": treatment, "accuracy": reached})
    return rows


def shuffle_weights(model, *, seed: int) -> None:
    """Put the weights of each filter in random order, in place: each keeps its mean, its size and its bias."""
    import numpy as np
    from keras import layers

    rng = np.random.default_rng([seed, 4])
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            kernel, bias = layer.get_weights()  # (height, width, channels, filters)
            shuffled = rng.permuted(kernel.reshape(-1, kernel.shape[-1]), axis=0)
            layer.set_weights([shuffled.reshape(kernel.shape), bias])
