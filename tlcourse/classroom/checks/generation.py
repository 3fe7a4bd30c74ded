"""Checks of chapter 17: copies with their labels, an inherited harm, a term of the VAE's loss, what pictures add."""

from string import ascii_lowercase as letters

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require


@exercise
def mirrored_labels(mirrored, in_a_mirror) -> str:
    """A function of pictures and labels: those that are letters in a mirror, too, mirrored, with what they are then."""
    expect_function(mirrored, "pictures and labels")
    rng = np.random.default_rng(17)
    x = rng.uniform(0, 255, (26, 6, 6, 1)).astype("float32")
    y = rng.permutation(26)
    given = x.copy(), y.copy()
    made, labels = mirrored(*given)
    require(np.array_equal(given[0], x) and np.array_equal(given[1], y), "What was given has changed: make new arrays.")
    made, labels = np.asarray(made), np.asarray(labels)
    require(len(made) == len(labels), f"{len(made)} pictures and {len(labels)} labels: each picture needs its own.")
    require(made.shape[1:] == x.shape[1:], f"Expected pictures of shape {x.shape[1:]}, got {made.shape[1:]}.")
    require(
        len(made) < len(x) or {int(label) for label in labels} != set(range(26)),
        "All 26 letters came back. What is a mirrored *a*, or a mirrored *e*? No letter: such pictures are left out.",
    )
    sources = {letters[label]: picture for picture, label in zip(x, y, strict=True)}
    origin = {}
    for picture, label in zip(made, labels, strict=True):
        found = [name for name, source in sources.items() if np.array_equal(source[:, ::-1], picture)]
        if not found:
            same = any(np.array_equal(source, picture) for source in sources.values())
            down = any(np.array_equal(source[::-1], picture) for source in sources.values())
            require(not same, "One of the pictures came back as it was: it was not mirrored.")
            require(not down, "That stands the letters on their heads: rows and columns are exchanged in your index.")
            require(False, "A picture came back that is none of the given ones in a mirror.")
        origin[found[0]] = letters[int(label)]
    kept = {name for name in origin if origin[name] == name and in_a_mirror.get(name) not in (None, name)}
    require(not kept, f"A mirrored {min(kept or {'b'})} still has its old name: change the label with the picture.")
    wrong = sorted(name for name, label in origin.items() if in_a_mirror.get(name) != label)
    require(not wrong, f"{', '.join(wrong)}: `in_a_mirror` says something else, or nothing, of it.")
    missing = sorted(set(in_a_mirror) - set(origin))
    require(not missing, f"{', '.join(missing)} can be mirrored, too, and is missing.")
    return "The label goes through the mirror as well. So no transformation is wrong by itself: a label may be."


@numeric
def harm_repaired(taken) -> Question:
    """Points of the inherited harm that tuning takes away; `taken[source, trained]` in percent taken for the twin."""
    frozen = taken["mirrored", "frozen"] - taken["as they are", "frozen"]
    tuned = taken["mirrored", "tuned"] - taken["as they are", "tuned"]
    return Question(
        frozen - tuned,
        {
            frozen: "That is the harm on frozen layers. How much of it is still there when every weight is tuned?",
            tuned: "That is the harm that is left after tuning. How much went away?",
            taken["mirrored", "frozen"] - taken["mirrored", "tuned"]: "Tuning changes a network without mirrors, too: "
            "take its change off.",
            (frozen - tuned) / 100: "In points of percent, please, as the table has them.",
            tuned - frozen: "The other way round: what went away is the harm before minus the harm after.",
            100 * (frozen - tuned) / frozen: "That is a share of the harm. Asked are points.",
        },
        otherwise="Two harms, each mirrored minus as they are: one frozen, one tuned. How far are they apart?",
        praise="{} points of the confusion went away with tuning, in which the lecture is right.",
        decimals=1,
    )


@exercise
def divergence(far) -> str:
    """A function of means and logarithms of variances, `(n, latent)` each: the divergence from N(0, 1), `(n,)`."""
    expect_function(far, "means and logarithms of variances")
    rng = np.random.default_rng(17)
    mean, log_variance = (rng.normal(0, 0.7, (6, 4)).astype("float32") for _ in range(2))
    told = np.asarray(far(mean, log_variance))

    def term(mean, log_variance, power=1):
        return 0.5 * (mean**2 + np.exp(power * log_variance) - log_variance - 1)

    true = term(mean, log_variance)
    require(told.shape != true.shape, "That is one number for each latent number. Add them up for each picture.")
    require(told.shape != (), "That is one number in all. Each picture has its own: add up its latent numbers only.")
    require(told.shape == (6,), f"Expected one number for each of 6 pictures, got the shape {told.shape}.")
    wrong = [
        (true.mean(axis=1), "That is the mean over the latent numbers, and the formula has their sum."),
        (2 * true.sum(axis=1), "Twice too much: where is the half?"),
        (-true.sum(axis=1), "The sign: it is 0 where the picture's cloud *is* the standard normal, else larger."),
        (term(mean, log_variance, 2).sum(axis=1), "The network gives the logarithm of the "
         "variance, not of the standard deviation."),
        (term(mean, 2 * log_variance).sum(axis=1), "The network gives the logarithm of the variance, not of the "
         "standard deviation."),
        ((true + 0.5).sum(axis=1), "A cloud that *is* the standard normal gets more than 0. What is taken off?"),
        (term(0 * mean, log_variance).sum(axis=1), "The mean has no part in yours: a cloud far off must cost."),
    ]  # fmt: skip
    for value, hint in wrong:
        require(not np.allclose(told, value, atol=1e-4), hint)
    require(np.allclose(told, true.sum(axis=1), atol=1e-4), f"Of the first of six random rows it is "
            f"{true[0].sum():.3f}, yours {told[0]:.3f}.")  # fmt: skip
    return "Zero only where every picture's cloud is the same standard normal: then one can draw from it."


@numeric
def handed_on(means) -> Question:
    """Which part of what the source's pictures add the carried VAE's add; `means`: accuracy by what lay beside."""
    base, source, carried = (means[arm] for arm in ("duplicates", "source", "VAE carried"))
    truth = 100 * (carried - base) / (source - base)
    return Question(
        truth,
        {
            100 * carried / source: "That compares two levels. Asked is what each *adds* to duplicates.",
            carried - base: "That is what it adds, in points. Which share of what the source adds is it?",
            100 * (carried - means["none"]) / (source - means["none"]): "*none* has half as many pictures in a step. "
            "Which arm has as many, and shows nothing new?",
            100 * (carried - means["VAE alone"]) / (source - means["VAE alone"]): "Over the VAE alone: that says what "
            "carrying adds to it. Count from duplicates.",
            100 - truth: "That is what is lost on the way. How much is handed on?",
            100 * 100 / truth: "The other way round: what the VAE adds, as a share of what the source adds.",
            truth / 100: PERCENT,
        },
        otherwise="Two gains over duplicates: the carried VAE's divided by the source's, times a hundred.",
        praise="{} %. The rest of what the source knew does not come through.",
        decimals=0,
    )


@exercise
def apart(prepared) -> str:
    """A function of pictures, labels, fonts and `copies`: training and validation, no font on both sides."""
    expect_function(prepared, "pictures, labels, the fonts' numbers, and a function that makes copies")
    fonts = np.repeat(np.arange(10), 8)
    y = np.tile(np.arange(8), 10)
    x = (np.arange(80) * 3.0)[:, None, None, None] * np.ones((1, 4, 4, 1))
    made = []

    def copies(x, y):
        made.append(len(x))
        return np.concatenate([x, x + 0.25, x + 0.5]), np.concatenate([y, y, y])

    learnt, labels, held, held_labels = (
        np.asarray(part) for part in prepared(x.copy(), y.copy(), fonts.copy(), copies)
    )
    require(len(learnt) == len(labels) and len(held) == len(held_labels), "Pictures and labels differ in number.")
    require(bool(made), "`copies` was never called: without copies there is nothing to validate.")
    train, valid = (np.round(part[:, 0, 0, 0] / 3).astype(int) for part in (learnt, held))
    right = np.array_equal(y[train], labels) and np.array_equal(y[valid], held_labels)
    require(right, "Some pictures have lost their label on the way.")
    require(not set(train) & set(valid), "A picture trains, and a copy of it validates: split first, then copy.")
    both = set(fonts[train]) & set(fonts[valid])
    require(not both, f"Font {min(both or {0})} is on both sides. New letters of a known font are not a new font: "
            "split by font.")  # fmt: skip
    clean = np.allclose(held[:, 0, 0, 0] % 3, 0)
    require(clean, "Copies validate, too. The network will be asked real pictures: keep the copies to the training.")
    require(len(set(valid)) == len(valid), "A picture validates more than once.")
    require(len(train) > len(set(train)), "The training side has no copies.")
    least = 8 <= len(valid) <= 40
    require(least, f"{len(valid)} of 80 pictures validate: give it between a tenth and a half of the fonts.")
    return "First apart, by what is new in the target: the font. Then copies, on the training side alone."
