"""Chapter 14: one trunk for two tasks, against one for each: which pair helps, which harms, and what tells why.

Characters in fonts: which of 62 (`character`), which of 36 keys writes it (`key`, so that g and G are one), digit,
capital or small (`kind`), plain, bold, italic or both as the font is called (`style`), in which font (`font`). Of few
fonts the main task's labels are known; the second task has its labels there ("same") or in many further fonts as well
("more"), whose characters nobody has named. All test fonts are of other families. And stickers as small grey pictures:
which of eight kinds (`class`), from which collection (`domain`).

What tells information from everything else is the second task with other labels: shuffled once among the further
fonts ("shuffled"), dealt anew in every step ("noise"; among all its pictures, or telling the named ones from the others
would pay), or of groups as large as the true ones, but of characters drawn at random, the same in every font ("mixed").

In each step there are as many pictures of the main task. Every arm has the rate and dropout that serve the characters
alone best. Weight and number of steps are what did best for each arm in `task_weights`, on other draws of the same
fonts, for controls as well. Arms called "even" have weight 1, and so has what chooses nothing.
"""

import re
from typing import NamedTuple

import numpy as np

from tlcourse.methods import multitask

FONTS, MORE, TEST = 20, 130, 100  # at most labelled; further; tested
STEPS, AT, BATCH = 600, (75, 150, 300, 600), 64
FIRST, HALF = 100, 0.7  # draw; of the width, leaves half of the parameters
RATE, DROPOUT = 2e-3, 0.3  # of all arms: what did best for characters alone in `task_weights`


class Arm(NamedTuple):
    """What is trained. `labels` of the second task are "true", "shuffled", "noise" or "mixed"."""

    main: str
    second: str = ""
    where: str = "same"
    labels: str = "true"
    width: float = 1.0
    rate: float = RATE
    dropout: float = DROPOUT


ARMS = {
    "5 fonts": {
        "alone": Arm("character"),
        "alone, no dropout": Arm("character", dropout=0.0),
        "key, same": Arm("character", "key"),
        "key, more": Arm("character", "key", "more"),
        "key, more, shuffled": Arm("character", "key", "more", "shuffled"),
        "key, more, noise": Arm("character", "key", "more", "noise"),
        "key, more, mixed": Arm("character", "key", "more", "mixed"),
        "kind, more": Arm("character", "kind", "more"),
        "font, more": Arm("character", "font", "more"),
        "font, more, shuffled": Arm("character", "font", "more", "shuffled"),
        "font, same": Arm("character", "font"),
        "alone, double": Arm("character", width=2.0),
        "font, more, double": Arm("character", "font", "more", width=2.0),
    },
    "20 fonts": {
        "alone": Arm("character"),
        "style, same": Arm("character", "style"),
        "style, same, shuffled": Arm("character", "style", labels="shuffled"),
        "alone, half": Arm("character", width=HALF),
        "style alone": Arm("style"),
        "style alone, half": Arm("style", width=HALF),
        "style with character": Arm("style", "character"),
        "style with character, shuffled": Arm("style", "character", labels="shuffled"),
    },
    "stickers": {
        "alone": Arm("class"),
        "domain, same": Arm("class", "domain"),
        "domain, same, shuffled": Arm("class", "domain", labels="shuffled"),
    },
}
EVEN = ("key, more", "key, more, shuffled", "font, more", "font, more, shuffled")  # there with weight 1, too
HALVES = {"5 fonts": 2, "20 fonts": 2, "stickers": 1}  # draws for a seed, a trial each
CONFIGS = [{"world": world, "half": half} for world, halves in HALVES.items() for half in range(halves)]
# Of five fonts: the second task's weight, and the steps; all of them, and weight 1, where nothing is said.
CHOSEN = {
    "alone": (0.0, 600),
    "key, same": (1.0, 600),
    "key, more": (3.0, 600),
    "key, more, shuffled": (0.01, 600),
    "key, more, noise": (0.01, 600),
    "key, more, mixed": (3.0, 600),
    "kind, more": (3.0, 600),
    "font, more": (0.01, 600),
    "font, more, shuffled": (0.01, 600),
    "key, more, even": (1.0, 600),
    "key, more, shuffled, even": (1.0, 150),
    "font, more, even": (1.0, 75),
    "font, more, shuffled, even": (1.0, 150),
}
MINIATURE = {
    "config": {"world": "5 fonts", "half": 0},
    "ARMS": {"5 fonts": {name: ARMS["5 fonts"][name] for name in ("alone", "key, more, noise", "font, more, double")}},
    "CHOSEN": {"alone": (0.0, 2), "key, more, noise": (0.3, 1)},
    "STEPS": 2,
    "AT": (1, 2),
    "BATCH": 8,
}


class World(NamedTuple):
    """Pictures and what may be asked of them; the main task's labels are known of the first `labelled` alone."""

    x: np.ndarray
    labels: dict[str, np.ndarray]
    labelled: int
    x_test: np.ndarray
    y_test: dict[str, np.ndarray]
    mixed: np.ndarray  # a permutation of the first task's classes


def style(font):
    """0 plain, 1 bold, 2 italic, 3 both, as the font is called."""
    name = font.lower()
    return int(bool(re.search("bold|black|heavy", name))) + 2 * int(bool(re.search("italic|oblique|slant", name)))


def kind(character):
    """0 for a digit, 1 for a capital, 2 for a small letter."""
    return 0 if character.isdigit() else 1 if character.isupper() else 2


def keys(characters):
    """The number of each character's key: a letter's capital is on the same one."""
    return np.unique([c.lower() for c in characters], return_inverse=True)[1]


def fonts(labelled, seed):
    """Characters: the labelled fonts, the further ones, and the test's; the families of a test are its own."""
    from tlcourse.material import data

    glyphs = data.glyphs()
    some, more, test = data.parts_by_group(glyphs.families, (FONTS, MORE, TEST), seed=seed)
    chosen, characters = np.concatenate([some[:labelled], more]), len(glyphs.characters)
    of = {"character": np.arange(characters), "key": keys(glyphs.characters)}
    of["kind"] = np.array([kind(c) for c in glyphs.characters])
    styles = np.array([style(font) for font in glyphs.fonts])

    def asked(rows):
        labels = {task: np.tile(labels, len(rows)) for task, labels in of.items()}
        return labels | {"style": np.repeat(styles[rows], characters)}

    x, x_test = (glyphs.images[rows].reshape(-1, *glyphs.images.shape[2:], 1) for rows in (chosen, test))
    labels = asked(chosen) | {"font": np.repeat(np.arange(len(chosen)), characters)}
    mixed = np.random.default_rng(seed).permutation(characters)
    return World(x, labels, labelled * characters, x_test, asked(test), mixed)


def stickers(seed):
    """All five collections as grey pictures of 28 by 28, bright on dark."""
    from tlcourse.material import data

    parts = [data.stickers(domain, size=28, seed=seed) for domain in data.STICKER_DOMAINS]

    def joined(side):
        return np.concatenate([getattr(part, side) for part in parts])

    def asked(side):
        each = [len(getattr(part, side)) for part in parts]
        return {"class": joined(side), "domain": np.repeat(np.arange(len(parts)), each)}

    x, x_test = (255 - joined(side).mean(axis=3, keepdims=True) for side in ("x_train", "x_test"))
    return World(x, asked("y_train"), len(x), x_test, asked("y_test"), np.arange(len(parts[0].classes)))


def world(name, seed):
    """Of "5 fonts", "20 fonts" or "stickers"."""
    return stickers(seed) if name == "stickers" else fonts(int(name.split()[0]), seed)


def lesson(arm, world, seed):
    """The labels of each task, -1 where a picture has none, and the pools that a step draws from."""
    pools = [np.arange(world.labelled)]
    known = np.arange(len(world.x)) < world.labelled
    labels = {arm.main: np.where(known, world.labels[arm.main], -1)}
    if arm.second:
        y, rng = world.labels[arm.second], np.random.default_rng(seed)
        if arm.labels == "mixed":
            y = regrouped(world.labels[arm.main], y, world.mixed)
        if arm.labels == "shuffled":
            asked = known if arm.where == "same" else ~known
            y = y.copy()
            y[asked] = rng.permutation(y[asked])
        labels[arm.second] = y if arm.where == "more" else np.where(known, y, -1)
        if arm.where == "more":
            pools.append(np.flatnonzero(~known))
    return labels, pools


def regrouped(y, second, mixed):
    """The second task's groups, as large as they are, but of other classes: the same wherever a class comes."""
    group = np.zeros(len(mixed), int)
    group[y] = second
    return group[mixed][y]


def balanced(y, logits):
    """Accuracy in percent, a mean over classes."""
    named = logits.argmax(axis=1)
    return float(np.mean([100 * (named[y == c] == c).mean() for c in np.unique(y)]))


def trained(arm, world, seed, weight=1.0):
    """Yields the steps taken and the network, as often as `AT` says."""
    labels, pools = lesson(arm, world, seed)
    heads = {task: int(known.max()) + 1 for task, known in labels.items()}
    net = multitask.Network(heads, width=arm.width, rate=arm.rate, dropout=arm.dropout, seed=seed)
    order = multitask.batches(pools, STEPS, batch=BATCH, seed=seed)
    noise = [arm.second] if arm.labels == "noise" else []
    for start, end in zip([0, *AT], AT, strict=False):
        net.fit(world.x, labels, order[start:end], weights={arm.second: weight}, noise=noise, go_on=start > 0)
        yield end, net


def judged(name, arm, world, seed, weight=1.0):
    """Rows of an arm: percent right of the main task and of the second, in the test and among what was learnt from.

    In the test a mean over classes; nan of a second task that has none there. `main_known` is of the pictures whose
    main label is known, `second_known` of those that were there for the second task, by the labels that were given;
    nan of noise, which is never the same.
    """
    (labels, pools), nothing = lesson(arm, world, seed), float("nan")
    known = {"main_known": (arm.main, pools[0])}
    if arm.second and arm.labels != "noise":
        known["second_known"] = (arm.second, pools[-1])
    for steps, net in trained(arm, world, seed, weight):
        read, score = net.features(world.x_test), {}
        for column, task in {"accuracy": arm.main, "second": arm.second}.items():
            there = task in world.y_test and (task == arm.main or arm.labels == "true")
            score[column] = balanced(world.y_test[task], net.heads[task](read).numpy()) if there else nothing
        score |= {"main_known": nothing, "second_known": nothing}
        for column, (task, rows) in known.items():
            named = net.logits(task, world.x[rows]).argmax(axis=1)
            score[column] = float(100 * np.mean(named == labels[task][rows]))
        yield {"arm": name, "weight": weight if arm.second else 0.0, "steps": steps, **score}


def trial(config):
    """Rows of `judged` of each arm; `chosen` is 1 where the steps are those that did best for it on other draws."""
    seed = FIRST + config["seed"] + 500 * config["half"]
    here, chosen, rows = world(config["world"], seed), CHOSEN if config["world"] == "5 fonts" else {}, []
    for name, arm in ARMS[config["world"]].items():
        for called in [name] + [f"{name}, even"] * (name in EVEN):
            weight, steps = chosen.get(called, (1.0, AT[-1]))
            rows += [{**row, "chosen": int(row["steps"] == steps)} for row in judged(called, arm, here, seed, weight)]
    return rows
