"""Chapter 17: how many of the letters that it was shown a generator draws, told which one to draw or not.

Trained on small letters of a hundred fonts, and looked at now and then by a classifier of other fonts.
"""

from tlcourse.experiments import generated_pictures, transformations
from tlcourse.methods import generative

FONTS = (100, 130)  # that a generator is shown, and that the judge learnt from, of other families
CONFIGS = [{"generator": kind, "told": told} for kind in ("vae", "gan") for told in (1, 0)]
AT, DRAWN, LATENT, LEAST = (250, 500, 1000, 2000, 4000), 1300, 8, 0.2
MINIATURE = {"config": {"generator": "gan", "told": 0}, "AT": (1, 2), "DRAWN": 26,
             "generated_pictures.JUDGE_STEPS": 1, "generated_pictures.BATCH": 8}  # fmt: skip


def world(seed: int) -> tuple:
    """Pairs of pictures and labels: what the generator is shown, and what the judge learns from."""
    import numpy as np

    from tlcourse.material import data

    glyphs = data.glyphs(transformations.LETTERS)
    return tuple(
        (glyphs.images[fonts].reshape(-1, 28, 28, 1), np.tile(np.arange(len(glyphs.characters)), len(fonts)))
        for fonts in data.parts_by_group(glyphs.families, FONTS, seed=seed)
    )


def covered(named, classes: int) -> int:
    """How many classes are drawn at least `LEAST` times as often as if all came alike."""
    import numpy as np

    return int(np.sum(np.bincount(named, minlength=classes) >= LEAST * len(named) / classes))


def trial(config: dict) -> list[dict]:
    """After some numbers of steps: classes covered, percent named as asked (if it was told), variety and copying."""
    import numpy as np

    seed, told = config["seed"], config["told"]
    (x, y), others = world(seed)
    classes = int(y.max()) + 1
    judge = generated_pictures.judge(*others, seed=seed)
    make = {"vae": generative.Vae, "gan": generative.Gan}[config["generator"]]
    generator = make(classes if told else 1, latent=LATENT, seed=seed)
    asked, rows = np.arange(DRAWN) % classes, []
    for done, end in zip([0, *AT], AT, strict=False):
        generated_pictures.on(generator, x, y if told else 0 * y, steps=end - done, seed=seed + end)
        pictures = generator.draw(asked if told else 0 * asked, seed=seed)
        named = judge.logits("letter", pictures).argmax(axis=1)
        found = generated_pictures.seen(pictures, asked, (x, y), judge)
        if not told:
            found |= {"named": float("nan"), "variety": float("nan")}
        rows.append({"steps": end, "covered": covered(named, classes), **found})
    return rows
