"""Chapter 17: whether copies, alone or together, were only not finished: four times the steps, other strengths as well.

The draws, the arms and what is counted are those of `transformations`, of five fonts.
"""

from tlcourse.experiments import transformations
from tlcourse.methods import augmentation, multitask

CONFIGS = [{"arm": arm, "strength": strength} for arm, strength in
           (("none", 0.0), ("elastic", 1.0), ("elastic", 2.0), ("together", 0.5), ("together", 0.35))]  # fmt: skip
FACES, AT = 5, (600, 2400)
MINIATURE = {"config": {"arm": "elastic", "strength": 1.0}, "AT": (1, 2)}


def trial(config: dict) -> list[dict]:
    """Rows of `transformations.scores` after each number of steps; a quarter as many copies as are seen."""
    import numpy as np

    seed, names = config["seed"], transformations.ARMS[config["arm"]]
    x, y, *test = transformations.world(seed)
    few = np.arange(FACES * (int(y.max()) + 1))
    order = multitask.batches([few], AT[-1], batch=transformations.BATCH, seed=seed)
    pictures, labels = x[few], y[few]
    if names:
        parts = np.array_split(order.ravel()[: max(1, len(order) // 4) * transformations.BATCH], 8)
        made = [augmentation.transformed(x[part], names, strength=config["strength"], seed=100 * seed + i)
                for i, part in enumerate(parts) if len(part)]  # fmt: skip
        pictures, labels = np.concatenate(made), y[np.concatenate(parts)]
        order = multitask.batches([np.arange(len(pictures))], AT[-1], batch=transformations.BATCH, seed=seed)
    net = multitask.Network({"letter": int(y.max()) + 1}, dropout=transformations.DROPOUT, seed=seed)
    rows = []
    for start, end in zip([0, *AT], AT, strict=False):
        net.fit(pictures, {"letter": labels}, order[start:end], go_on=start > 0)
        rows.append({"steps": end, **transformations.scores(test[1], net.logits("letter", test[0]))})
    return rows
