"""Chapter 17: what pictures out of a generator add to few real ones, and what the generator's own past adds.

The target: small letters in bold fonts, of which 1, 2, 5 or 10 have labels; the test fonts are bold ones of other
families. The source: the same letters in fonts that are not bold, of other families still.

Every arm takes as many steps, with as many real pictures in each, and as many beside them: the same ones once more
("duplicates"), moved, turned, resized and slanted copies ("affine"), what a generator draws that was trained on the few
alone ("alone") or on the source before ("carried"), or the source's pictures themselves ("source"), which is all that a
carried generator can know. "none" has nothing beside them.

Draws 0 and 1 choose how many steps a carried generator takes on the few; the others are judged on.
"""

from tlcourse.experiments import transformations
from tlcourse.methods import augmentation, generative, multitask

FACES, TEST, SOURCE_FONTS = (1, 2, 5, 10), 50, 100
CONFIGS = [{"beside": beside} for beside in ("copies", "gan", "vae")]
COPIES = ("none", "duplicates", "affine", "source")
AFFINE, STRENGTH = ("shift", "turn", "size", "slant"), 0.5
SOURCE_STEPS = {"vae": 3000, "gan": 3000}
STEPS = {"alone": (2000,), "carried": (250, 1000)}  # of the generator on the few pictures
BATCH, DRAWN, LATENT = 64, 6_400, 8
TUNING = 2  # draws that choose
JUDGE_STEPS = 1500
MINIATURE = {"config": {"beside": "vae"}, "FACES": (1,), "SOURCE_STEPS": {"vae": 1, "gan": 1}, "JUDGE_STEPS": 1,
             "STEPS": {"alone": (1,), "carried": (1,)}, "BATCH": 8, "DRAWN": 16}  # fmt: skip


def world(seed: int) -> tuple:
    """Pairs of pictures and labels: the source, the target's ten fonts, font by font, its test, and all but the test.

    The last is for `judge`, which scores pictures and teaches nobody.
    """
    import re

    import numpy as np

    from tlcourse.material import data

    glyphs = data.glyphs(transformations.LETTERS)
    families = np.array(glyphs.families)
    bold = np.array([bool(re.search("bold|black|heavy", font.lower())) for font in glyphs.fonts])
    few, test = (np.flatnonzero(bold)[part] for part in data.parts_by_group(families[bold], (10, TEST), seed=seed))
    others = np.flatnonzero(~bold & ~np.isin(families, families[np.concatenate([few, test])]))
    (drawn,) = data.parts_by_group(families[others], (SOURCE_FONTS,), seed=seed)
    rest = np.setdiff1d(np.arange(len(families)), test)
    return tuple(
        (glyphs.images[fonts].reshape(-1, 28, 28, 1), np.tile(np.arange(len(glyphs.characters)), len(fonts)))
        for fonts in (others[drawn], few, test, rest)
    )


def on(generator, x, y, *, steps: int, seed: int):
    """The generator after so many further steps on these pictures."""
    import numpy as np

    return generator.fit(x, y, multitask.batches([np.arange(len(x))], steps, batch=BATCH, seed=seed))


def beside(real, extra, test, *, seed: int):
    """As `transformations.judged`, of a classifier whose every step has a batch of real pictures and one of `extra`."""
    import numpy as np

    parts = [part for part in (real, extra) if part is not None]
    ends = np.cumsum([0, *(len(part[1]) for part in parts)])
    pools = [np.arange(start, end) for start, end in zip(ends, ends[1:], strict=False)]
    order = multitask.batches(pools, transformations.AT[-1], batch=BATCH, seed=seed)
    x, y = (np.concatenate([part[i] for part in parts]).astype("float32") for i in (0, 1))
    return transformations.judged(x, y.astype(int), test, order=order, seed=seed)


def judge(x, y, *, seed: int):
    """A classifier of all fonts but the test's: it says what generated pictures show."""
    import numpy as np

    net = multitask.Network({"letter": int(y.max()) + 1}, seed=seed)
    return net.fit(x, {"letter": y}, multitask.batches([np.arange(len(x))], JUDGE_STEPS, batch=BATCH, seed=seed))


def seen(pictures, y, real, judge) -> dict[str, float]:
    """Percent of generated pictures that the judge names as they were asked, and how far they are from each other.

    `variety`: the mean distance of a picture to the next one of its class, over the same of the real ones; `copied`:
    the mean distance to the nearest of the real pictures, over that of a real one to the nearest other real one.
    """
    import numpy as np
    from sklearn.metrics import pairwise_distances

    (x, labels), named = real, judge.logits("letter", pictures).argmax(axis=1)
    flat, known = (part.reshape(len(part), -1).astype("float32") for part in (pictures, x))

    def apart(rows, of):
        near = [np.linalg.norm(rows[of == c][1:] - rows[of == c][:-1], axis=1) for c in np.unique(of)]
        return float(np.mean(np.concatenate(near)))

    to_real, to_each = pairwise_distances(flat, known), pairwise_distances(known)
    np.fill_diagonal(to_each, np.inf)
    alone = len(labels) == len(np.unique(labels))  # one font: there is no second picture of a class
    return {
        "named": float(100 * np.mean(named == y)),
        "variety": float("nan") if alone else apart(flat, y) / apart(known, labels),
        "copied": float(to_real.min(axis=1).mean() / to_each.min(axis=1).mean()),
    }


def trial(config: dict) -> list[dict]:
    """Rows of `transformations.scores` and `seen` for each number of fonts, arm and number of steps."""
    import numpy as np

    seed, kind = config["seed"], config["beside"]
    source, target, test, rest = world(seed)
    classes = int(source[1].max()) + 1
    y_drawn = np.random.default_rng(seed).permutation(np.arange(DRAWN) % classes)
    nothing = dict.fromkeys(("named", "variety", "copied"), float("nan"))
    rows = []
    if kind != "copies":
        judged_by = judge(*rest, seed=seed)
        make = {"vae": generative.Vae, "gan": generative.Gan}[kind]
        before = on(make(classes, latent=LATENT, seed=seed), *source, steps=SOURCE_STEPS[kind], seed=seed)
        start = before.state()
    for faces in FACES:
        real = tuple(part[: faces * classes] for part in target)
        for arm, steps in STEPS.items() if kind != "copies" else ():
            generator = make(classes, latent=LATENT, seed=seed)
            if arm == "carried":
                generator.start_from(start)
            for done, end in zip([0, *steps], steps, strict=False):
                on(generator, *real, steps=end - done, seed=seed + end)
                extra = generator.draw(y_drawn, seed=seed), y_drawn
                looked = seen(extra[0][: 20 * classes], y_drawn[: 20 * classes], real, judged_by)
                for read, found in beside(real, extra, test, seed=seed):
                    rows.append({"faces": faces, "arm": arm, "trained": end, "steps": read, **found, **looked})
        for arm in COPIES if kind == "copies" else ():
            again = multitask.batches([np.arange(len(real[1]))], DRAWN // BATCH, batch=BATCH, seed=seed + 1).ravel()
            extra = {"none": None, "duplicates": real, "source": source}.get(arm)
            if arm == "affine":
                extra = augmentation.transformed(real[0][again], AFFINE, strength=STRENGTH, seed=seed), real[1][again]
            for read, found in beside(real, extra, test, seed=seed):
                rows.append({"faces": faces, "arm": arm, "trained": 0, "steps": read, **found, **nothing})
    return rows
