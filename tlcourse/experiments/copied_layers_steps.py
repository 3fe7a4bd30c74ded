"""Chapter 06: does co-adaptation need pictures and time? A network's own layers, with 150 fonts and up to 3,000 steps.

The main recording has twenty fonts and 300 steps, Yosinski et al. (2014) had 645,000 pictures and 450,000 steps.
"""

from tlcourse.experiments import copied_layers

CONFIGS = [{"steps": steps} for steps in (300, 3000)]
FONTS, TEST = 150, 100
COPIED = (4, 5)
MINIATURE = {"config": {"steps": 2}, "COPIED": (4,), "copied_layers.CLASSES": 4, "copied_layers.BATCH": 8}


def task(seed: int) -> dict[str, tuple]:
    """`target` and `test` as in `copied_layers.tasks`, with more fonts."""
    import numpy as np

    from tlcourse.material import data
    from tlcourse.methods import layer_transfer

    glyphs = data.glyphs()
    chosen = layer_transfer.halves(glyphs.images.shape[1], seed=seed)[1]
    parts = data.parts_by_group(glyphs.families, (FONTS, TEST), seed=seed)

    def characters(fonts):
        x = glyphs.images[fonts][:, chosen].reshape(-1, 28, 28, 1).astype("float32")
        return x, np.tile(np.arange(len(chosen)), len(fonts))

    return dict(zip(("target", "test"), map(characters, parts), strict=True))


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent of the base, and with n of its layers copied, frozen and fine-tuned."""
    from tlcourse.methods import layer_transfer

    seed, both = config["seed"], task(config["seed"])
    epochs = config["steps"] * copied_layers.BATCH // len(both["target"][1])
    base = layer_transfer.network(copied_layers.CLASSES, seed=10 * seed)
    copied_layers.trained(base, both["target"], seed=10 * seed, epochs=epochs)
    rows = [{"treatment": "base", "n": 0, "accuracy": copied_layers.accuracy(base, both["test"])}]
    for treatment in ("BnB", "BnB+"):
        for n in COPIED:
            frozen = treatment == "BnB"
            reached = copied_layers.transferred(base, n, both, frozen=frozen, seed=seed, epochs=epochs)
            rows.append({"treatment": treatment, "n": n, "accuracy": reached})
    return rows
