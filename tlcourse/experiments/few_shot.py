"""Chapter 15: new letters of new writing systems from one or five examples, by embeddings of different schooling.

Fifty writing systems in ten groups of five; what tests a group was trained on the other nine. Kin lie together: systems
of one family, and those that share most shapes. The group is the unit of chance: its five systems are judged by the
same networks. All schoolings get as many pictures in as many steps, the same network and the same start. A letter's
examples and its query are of different faces wherever there are two.

Each fold is two groups that are something like kin. Its settings are those that did best in `few_shot_settings` on
*another* fold, by networks that saw neither.

Whether a loser is only not finished is decided by this rule, which was fixed before: its distance behind the classifier
shrinks from half of the steps to all of them, and the interval over groups of this change excludes 0.
"""

import functools
import itertools

import numpy as np

from tlcourse.methods import episodes, few_shot

GROUPS = (
    "Bengali, Devanagari, Gujarati, Gurmukhi, Khojki",
    "Meetei Mayek, Ol Chiki, Oriya, Sinhala, Tibetan",
    "Grantha, Kannada, Malayalam, Tamil, Telugu",
    "Armenian, Canadian Aboriginal, Ethiopic, Georgian, Tifinagh",
    "Khmer, Lao, Myanmar, Tai Tham, Thai",
    "Balinese, Cham, Kayah Li, Medefaidrin, Sundanese",
    "Arabic, Hanifi Rohingya, Hebrew, Syriac, Thaana",
    "Adlam, Mongolian, Nyiakeng Puachue Hmong, Pahawh Hmong, Yezidi",
    "Cuneiform, Linear A, Linear B, Nushu, Yi",
    "Anatolian Hieroglyphs, Bamum, Egyptian Hieroglyphs, Mende Kikakui, Vai",
)
FOLDS = tuple((2 * fold, 2 * fold + 1) for fold in range(5))  # which groups
TRAINED = ("classifier", "siamese", "triplet, any", "triplet", "matching", "prototypical")
READY = ("pixels", "HOG", "off the shelf", "untrained", "untrained, normalised")  # nothing of letters is learnt
CONFIGS = [{"method": method, "group": group} for method in (*TRAINED, *READY) for group in range(len(GROUPS))]
STEPS, DRAWS = (250, 500, 1000), 40  # steps: where one looks; and draws of examples and queries for a system
SHOTS, WAYS, FIRST = (1, 5), (5, 20), 100
# By method, for each fold: what belongs to the loss, the rate of Adam, and how distances are read; of Reptile the rate
# on a task, which part of the way the start follows, and whether statistics are kept in it.
CHOSEN = {
    "classifier": [(0.0, 0.01, "cosine"), (0.0, 0.01, "cosine"), (0.0, 0.01, "cosine"),
                   (0.0, 0.01, "cosine"), (0.0, 0.01, "cosine")],
    "siamese": [(1.0, 0.01, "cosine"), (1.0, 0.003, "euclid"), (1.0, 0.01, "euclid"),
                (1.0, 0.01, "cosine"), (1.0, 0.03, "cosine")],
    "triplet, any": [(0.3, 0.03, "cosine"), (0.3, 0.03, "cosine"), (0.3, 0.01, "cosine"),
                     (0.3, 0.03, "cosine"), (0.3, 0.03, "cosine")],
    "triplet": [(0.3, 0.03, "cosine"), (0.3, 0.01, "cosine"), (0.3, 0.01, "cosine"),
                (0.3, 0.01, "cosine"), (0.3, 0.01, "cosine")],
    "matching": [(10.0, 0.01, "cosine"), (10.0, 0.01, "cosine"), (10.0, 0.01, "cosine"),
                 (10.0, 0.01, "cosine"), (10.0, 0.01, "cosine")],
    "prototypical": [(0.03, 0.03, "euclid"), (0.03, 0.03, "euclid"), (0.03, 0.03, "cosine"),
                     (0.03, 0.03, "euclid"), (0.03, 0.01, "euclid")],
    "pixels": [(0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"),
               (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine")],
    "HOG": [(0.0, 0.0, "euclid"), (0.0, 0.0, "euclid"), (0.0, 0.0, "euclid"),
            (0.0, 0.0, "euclid"), (0.0, 0.0, "euclid")],
    "off the shelf": [(0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"),
                      (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine")],
    "untrained": [(0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"),
                  (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine")],
    "untrained, normalised": [(0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine"),
                              (0.0, 0.0, "cosine"), (0.0, 0.0, "cosine")],
    "reptile": [(0.3, 0.5, "batch"), (0.3, 0.5, "batch"), (0.3, 0.5, "batch"),
                (0.3, 0.5, "batch"), (0.3, 0.5, "batch")],
    "classifier, then reptile": [(0.01, 0.5, "batch"), (0.003, 0.5, "kept"), (0.003, 0.5, "kept"),
                                 (0.01, 0.5, "kept"), (0.003, 0.5, "kept")],
}  # fmt: skip
MINIATURE = {
    "config": {"method": "matching", "group": 0},
    "STEPS": (1, 2),
    "DRAWS": 2,
    "few_shot.FILTERS": (2, 2, 2, 2),
}


def systems_of(*groups):
    """The writing systems of some groups, five each."""
    return [name for group in groups for name in GROUPS[group].split(", ")]


def letters(systems):
    """Of some writing systems, letter by letter: images `(letters, 20, 28, 28)`, and which face each is of."""
    from tlcourse.material import data

    scripts = data.scripts(systems)
    return scripts.images, scripts.faces


def tested_letters(system):
    """Of one writing system, to be judged by; see `letters`."""
    return letters([system])


def training_letters(*left_out):
    """What a network learns from that is tested on these groups: `(x, y)`, letter after letter."""
    images, _ = letters(systems_of(*(group for group in range(len(GROUPS)) if group not in left_out)))
    return images.reshape(-1, *images.shape[2:]), np.repeat(np.arange(len(images)), images.shape[1])


def trainer(method, setting, rate, seed):
    """What learns by this method; see `CHOSEN` for the setting."""
    if method == "classifier":
        return few_shot.Trainer(None, scale=setting, rate=rate, seed=seed)
    losses = {
        "siamese": functools.partial(few_shot.contrastive, margin=setting),
        "triplet": functools.partial(few_shot.triplet, margin=setting),
        "triplet, any": functools.partial(few_shot.triplet, margin=setting, mined=False),
        "matching": functools.partial(few_shot.matching, scale=setting),
        "prototypical": functools.partial(few_shot.prototypical, scale=setting),
    }
    return few_shot.Trainer(losses[method], rate=rate, seed=seed)


def ready(method, x, seed):
    """A function of `(…, 28, 28)` pictures that is not trained on letters; one looks at `x` for its statistics."""
    from tlcourse.material import backbones, features

    def each(function, images):
        rows = [function(picture).ravel() for picture in images.reshape(-1, *images.shape[-2:])]
        return np.stack(rows).reshape(*images.shape[:-2], -1).astype("float32")

    def off_the_shelf(images):
        grey = 255 - images.reshape(-1, *images.shape[-2:])  # black on white, as most print is
        rows = features.extract(backbones.efficientnet_lite0(input_size=96), np.repeat(grey[..., None], 3, axis=-1))
        return rows.reshape(*images.shape[:-2], -1)

    if method == "off the shelf":
        return off_the_shelf
    if method.startswith("untrained"):
        model = few_shot.network(seed=seed)
        if method != "untrained":
            few_shot.settle(model, x, seed=seed)
        return functools.partial(few_shot.embed, model)
    return functools.partial(each, hog if method == "HOG" else np.asarray)


def hog(picture):
    """Histograms of oriented gradients (Dalal and Triggs, 2005), of 28x28 pictures."""
    from skimage import feature

    return feature.hog(picture, orientations=9, pixels_per_cell=(7, 7), cells_per_block=(2, 2))


def draw(faces, shots, rng):
    """Which drawing of each letter asks, `(letters,)`, and which are known, `(letters, shots)`.

    All that ask are of one face, what is known of any others; where a system has one face only, of that one.
    """
    face = rng.integers(faces.max() + 1)
    queries = rng.choice(np.flatnonzero(faces[0] == face), len(faces))
    others = (
        np.tile(faces[0] != face, (len(faces), 1)) if faces.max() else np.arange(faces.shape[1]) != queries[:, None]
    )
    order = np.where(others, rng.random(others.shape), 2).argsort(axis=1)
    return queries, order[:, :shots]


def judged(embed, system, rules, seed, scale=1.0):
    """Percent named right in one writing system, by rule and "5 way 1 shot" and so on; all get the same draws."""
    images, faces = tested_letters(system)
    z, score = embed(images), {rule: {} for rule in rules}
    for shots, rule in itertools.product(SHOTS, rules):
        rng = np.random.default_rng([seed, shots, *map(ord, system)])
        found = [episodes.ranks(z, *draw(faces, shots, rng), rule=rule, scale=scale) for _ in range(DRAWS)]
        for ways in WAYS:
            score[rule][f"{ways} way {shots} shot"] = episodes.accuracy(found, ways, len(images))
    return score


def judged_all(embed, group, rule, seed, scale=1.0):
    """A row for each writing system of a group."""
    read = "attention" if rule == "attention" else "mean"
    return [
        {"read": read, "system": name, **judged(embed, name, [rule], seed, scale)[rule]} for name in systems_of(group)
    ]


def trial(config):
    """Percent named right in each writing system of a group, 5 and 20 ways, 1 and 5 examples of each letter.

    All are read by the nearest mean of the examples, matching networks by attention to each as well.
    """
    method, group, seed = config["method"], config["group"], FIRST + config["seed"]
    setting, rate, rule = CHOSEN[method][group // 2]
    x, y = training_letters(group)
    if method in READY:
        return [{"steps": 0, **row} for row in judged_all(ready(method, x, seed), group, rule, seed)]
    learner, done, rows = trainer(method, setting, rate, seed), 0, []
    for steps in STEPS:
        learner.fit(x, y, steps=steps - done)
        embed, done = functools.partial(few_shot.embed, learner.model), steps
        rows += [{"steps": steps, **row} for row in judged_all(embed, group, rule, seed)]
        if method == "matching":
            rows += [{"steps": steps, **row} for row in judged_all(embed, group, "attention", seed, setting)]
    return rows
