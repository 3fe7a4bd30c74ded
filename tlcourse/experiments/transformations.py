"""Chapter 17: what each transformation of the few labelled pictures is worth, alone and together with the others.

Small letters in few fonts; all test fonts are of other families. Every arm takes as many steps with as many pictures in
each. "none" sees the few pictures again and again, the others see changed copies of the same ones, `COPIES` in all.

Draws 0 to 2 choose the strength, each arm its own; the others are judged on.
"""

from tlcourse.methods import augmentation, multitask

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TWINS = {"b": "d", "d": "b", "p": "q", "q": "p"}  # what each is in a mirror
FACES, TEST = (1, 2, 5, 10), 100  # fonts with labels, and fonts that test
STRENGTHS = (0.25, 0.5, 1.0)
AT, BATCH, DROPOUT, COPIES = (150, 300, 600), 64, 0.3, 12_800
ARMS = {"none": (), **{name: (name,) for name in augmentation.KEEPING + augmentation.BREAKING},
        "together": augmentation.KEEPING}  # fmt: skip
CONFIGS = [{"faces": 5, "arm": arm} for arm in ARMS]
CONFIGS += [{"faces": faces, "arm": arm} for faces in (1, 2, 10) for arm in ("none", "together")]
TUNING = 3  # draws that choose
MINIATURE = {"config": {"faces": 2, "arm": "turn"}, "AT": (1, 2), "BATCH": 8, "COPIES": 24, "STRENGTHS": (1.0,)}


def world(seed: int) -> tuple:
    """`(x, y, x_test, y_test)`: letters of ten fonts, font by font, and of `TEST` fonts of other families."""
    import numpy as np

    from tlcourse.material import data

    glyphs = data.glyphs(LETTERS)
    parts = data.parts_by_group(glyphs.families, (max(FACES), TEST), seed=seed)
    return tuple(
        made
        for fonts in parts
        for made in (glyphs.images[fonts].reshape(-1, 28, 28, 1), np.tile(np.arange(len(LETTERS)), len(fonts)))
    )


def scores(y, logits) -> dict[str, float]:
    """In percent: letters named right (a mean over letters), those with a twin among them, and taken for the twin."""
    import numpy as np

    named = logits.argmax(axis=1)
    right = {letter: float(100 * np.mean(named[y == letter] == letter)) for letter in np.unique(y)}
    twins = [(LETTERS.index(letter), LETTERS.index(twin)) for letter, twin in TWINS.items()]
    twins = [pair for pair in twins if pair[0] in right]
    nothing = float("nan")
    return {
        "accuracy": float(np.mean(list(right.values()))),
        "twins": float(np.mean([right[letter] for letter, _ in twins])) if twins else nothing,
        "mirrored": float(np.mean([100 * np.mean(named[y == c] == twin) for c, twin in twins])) if twins else nothing,
    }


def judged(x, y, test, *, order, seed: int):
    """Yields the number of steps and `scores`, as often as `AT` says; `order` as `multitask.batches` gives it."""
    net = multitask.Network({"letter": int(y.max()) + 1}, dropout=DROPOUT, seed=seed)
    for start, end in zip([0, *AT], AT, strict=False):
        net.fit(x, {"letter": y}, order[start:end], go_on=start > 0)
        yield end, scores(test[1], net.logits("letter", test[0]))


def trial(config: dict) -> list[dict]:
    """Rows of `scores` for each strength and number of steps; strength 0 of "none", 1 of the mirror."""
    import numpy as np

    seed, names = config["seed"], ARMS[config["arm"]]
    x, y, *test = world(seed)
    few = np.arange(config["faces"] * (int(y.max()) + 1))
    rows = []
    for strength in {(): (0.0,), ("mirror",): (1.0,)}.get(names, STRENGTHS):
        pictures, labels = x[few], y[few]
        if names:
            again = multitask.batches([few], -(-COPIES // BATCH), batch=BATCH, seed=seed).ravel()
            pictures, labels = augmentation.transformed(x[again], names, strength=strength, seed=seed), y[again]
        order = multitask.batches([np.arange(len(pictures))], AT[-1], batch=BATCH, seed=seed)
        for steps, found in judged(pictures, labels, test, order=order, seed=seed):
            rows.append({"strength": strength, "steps": steps, **found})
    return rows
