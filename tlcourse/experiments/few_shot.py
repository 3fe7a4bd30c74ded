"""Chapter 15: new letters of new writing systems from one or five examples, by embeddings of different schooling.

Fifty writing systems in five folds of ten; what tests a fold was trained on the other four. Kin lie together: systems
of one family, and those that share most shapes. All schoolings get as many pictures in as many steps, the same
network and the same start. A letter's examples and its query are of different faces wherever there are two.

Each fold's settings are those that did best in `few_shot_settings` on *another* fold, by networks that saw neither.
"""

import functools

import numpy as np

from tlcourse.methods import few_shot

FOLDS = (
    "Bengali, Devanagari, Gujarati, Gurmukhi, Khojki, Meetei Mayek, Ol Chiki, Oriya, Sinhala, Tibetan",
    "Armenian, Canadian Aboriginal, Ethiopic, Georgian, Grantha, Kannada, Malayalam, Tamil, Telugu, Tifinagh",
    "Balinese, Cham, Kayah Li, Khmer, Lao, Medefaidrin, Myanmar, Sundanese, Tai Tham, Thai",
    "Adlam, Arabic, Hanifi Rohingya, Hebrew, Mongolian, Nyiakeng Puachue Hmong, Pahawh Hmong, Syriac, Thaana, Yezidi",
    "Anatolian Hieroglyphs, Bamum, Cuneiform, Egyptian Hieroglyphs, Linear A, Linear B, Mende Kikakui, Nushu, Vai, Yi",
)
TRAINED = ("classifier", "siamese", "triplet", "matching", "prototypical")
READY = ("pixels", "HOG", "off the shelf", "untrained")  # nothing of letters is learnt
CONFIGS = [{"method": method, "fold": fold} for method in (*TRAINED, *READY) for fold in range(len(FOLDS))]
STEPS, DRAWS = (400, 800, 1600), 40  # steps: where one looks; and draws of examples and queries for a system
SHOTS, WAYS, FIRST = (1, 5), (5, 20), 100
CHOSEN = {  # by method, for each fold: what belongs to the loss, the rate of Adam, and how distances are read
    "classifier": [(10.0, 3e-3, "cosine")] * 5,
    "siamese": [(3.0, 3e-3, "euclid")] * 5,
    "triplet": [(0.3, 3e-3, "cosine")] * 5,
    "matching": [(10.0, 3e-3, "cosine")] * 5,
    "prototypical": [(0.3, 3e-3, "euclid")] * 5,
    "pixels": [(None, None, "cosine")] * 5,
    "HOG": [(None, None, "cosine")] * 5,
    "off the shelf": [(None, None, "cosine")] * 5,
    "untrained": [(None, None, "cosine")] * 5,
}
MINIATURE = {
    "config": {"method": "prototypical", "fold": 0},
    "STEPS": (1, 2),
    "DRAWS": 2,
    "few_shot.FILTERS": (2, 2, 2, 2),
}


def systems_of(fold):
    """The ten writing systems of a fold."""
    return FOLDS[fold].split(", ")


def letters(systems):
    """Of some writing systems, letter by letter: images `(letters, 20, 28, 28)`, and which face each is of."""
    from tlcourse.material import data

    scripts = data.scripts(systems)
    return scripts.images, scripts.faces


def tested_letters(system):
    """Of one writing system, to be judged by; see `letters`."""
    return letters([system])


def training_letters(*left_out):
    """What a network learns from that is tested on these folds: `(x, y)`, letter after letter."""
    images, _ = letters([name for fold in range(len(FOLDS)) if fold not in left_out for name in systems_of(fold)])
    return images.reshape(-1, *images.shape[2:]), np.repeat(np.arange(len(images)), images.shape[1])


def trainer(method, setting, rate, seed):
    """Who learns by this method; see `CHOSEN` for the setting."""
    if method == "classifier":
        return few_shot.Trainer(None, scale=setting, rate=rate, seed=seed)
    names = {"siamese": (few_shot.contrastive, "margin"), "triplet": (few_shot.triplet, "margin")}
    names |= {"matching": (few_shot.matching, "scale"), "prototypical": (few_shot.prototypical, "scale")}
    loss, name = names[method]
    return few_shot.Trainer(functools.partial(loss, **{name: setting}), rate=rate, seed=seed)


def ready(method, seed):
    """A function of `(…, 28, 28)` pictures that needs no training on letters."""
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
    if method == "untrained":
        return functools.partial(few_shot.embed, few_shot.network(seed=seed))
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


def judged(embed, system, rule, seed):
    """Percent named right in one writing system, by "5 way 1 shot" and so on; every method gets the same draws."""
    images, faces = tested_letters(system)
    z, score = embed(images), {}
    for shots in SHOTS:
        rng = np.random.default_rng([seed, shots, *map(ord, system)])
        found = [few_shot.ranks(z, *draw(faces, shots, rng), rule=rule) for _ in range(DRAWS)]
        for ways in WAYS:
            score[f"{ways} way {shots} shot"] = few_shot.accuracy(found, ways, len(images))
    return score


def trial(config):
    """Percent named right in each writing system of a fold, 5 and 20 ways, 1 and 5 examples of each letter."""
    method, fold, seed = config["method"], config["fold"], FIRST + config["seed"]
    setting, rate, rule = CHOSEN[method][fold]
    if method in READY:
        return [{"steps": 0, **row} for row in judged_all(ready(method, seed), fold, rule, seed)]
    learner, done, rows = trainer(method, setting, rate, seed), 0, []
    x, y = training_letters(fold)
    for steps in STEPS:
        learner.fit(x, y, steps=steps - done)
        embed, done = functools.partial(few_shot.embed, learner.model), steps
        rows += [{"steps": steps, **row} for row in judged_all(embed, fold, rule, seed)]
    return rows


def judged_all(embed, fold, rule, seed):
    """A row for each writing system of a fold."""
    return [{"system": system, **judged(embed, system, rule, seed)} for system in systems_of(fold)]
