"""Chapter 14: one trunk for two tasks, against one for each: which pair helps, which harms, and what tells why.

Characters in fonts: which of 62 (`character`), which of 36 keys writes it (`key`, so that g and G are one), digit,
capital or small (`kind`), plain, bold, italic or both as the font is called (`style`), in which font (`font`). Of few
fonts the main task's labels are known; the second task has its labels there ("same") or in many further fonts as well
("more"), whose characters nobody has named. All test fonts are of other families. And stickers as small grey pictures:
which of eight kinds (`class`), from which collection (`domain`).

What tells information from everything else is the second task with other labels: shuffled once ("shuffled"), dealt
anew in every step ("noise"), or a rule that is as sure and means nothing ("nonsense": as large groups of other
characters).

Each arm takes as many steps, with as many pictures of the main task in each. The second task's weight is what did best
in `task_weights`, on other draws, for controls as well; arms called "even" have weight 1.
"""

import re
from typing import NamedTuple

import numpy as np

from tlcourse.methods import multitask

FONTS, MORE, TEST = 20, 130, 100  # at most labelled; further; tested
STEPS, AT, BATCH = 600, (75, 150, 300, 600), 64
LONG = 4  # times the steps, where it is asked whether something has only not finished
FIRST = 100
HALF = 0.7  # of the width leaves half of the parameters


class Arm(NamedTuple):
    """What is trained. `labels` of the second task are "true", "shuffled", "noise" or "nonsense"."""

    main: str
    second: str = ""
    where: str = "same"
    labels: str = "true"
    width: float = 1.0
    times: int = 1  # the steps


ARMS = {
    "5 fonts": {
        "alone": Arm("character"),
        "key, same": Arm("character", "key"),
        "key, more": Arm("character", "key", "more"),
        "key, more, shuffled": Arm("character", "key", "more", "shuffled"),
        "key, more, noise": Arm("character", "key", "more", "noise"),
        "key, more, nonsense": Arm("character", "key", "more", "nonsense"),
        "kind, more": Arm("character", "kind", "more"),
        "kind, more, nonsense": Arm("character", "kind", "more", "nonsense"),
        "font, more": Arm("character", "font", "more"),
        "font, more, shuffled": Arm("character", "font", "more", "shuffled"),
        "alone, long": Arm("character", times=LONG),
        "font, more, long": Arm("character", "font", "more", times=LONG),
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
        "domain alone": Arm("domain"),
        "domain with class": Arm("domain", "class"),
    },
}
CONFIGS = [
    {"world": world, "half": half}
    for world, half in (("5 fonts", 0), ("20 fonts", 0), ("20 fonts", 1), ("stickers", 0))
]
WEIGHT = {  # of the second task's loss; 1 where none is given
    "5 fonts": {},
    "20 fonts": {},
    "stickers": {},
}
MINIATURE = {
    "config": {"world": "5 fonts", "half": 0},
    "ARMS": {"5 fonts": {name: ARMS["5 fonts"][name] for name in ("alone", "key, more, noise", "font, more, double")}},
    "WEIGHT": {"5 fonts": {"key, more, noise": 0.3}},
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
    return int(bool(re.search("bold|black|heavy", name))) + 2 * int(bool(re.search("italic|oblique", name)))


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
    x, x_test = (
        255 - np.concatenate([getattr(part, side).mean(axis=3, keepdims=True) for part in parts])
        for side in ("x_train", "x_test")
    )
    y, y_test = (np.concatenate([getattr(part, side) for part in parts]) for side in ("y_train", "y_test"))
    domain, domain_test = (
        np.repeat(np.arange(len(parts)), [len(getattr(part, side)) for part in parts]) for side in ("y_train", "y_test")
    )
    labels, tested = {"class": y, "domain": domain}, {"class": y_test, "domain": domain_test}
    return World(x, labels, len(x), x_test, tested, np.arange(len(parts[0].classes)))


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
        if arm.labels == "nonsense":
            y = nonsense(world.labels[arm.main], y, world.mixed)
        if arm.labels == "shuffled":
            y = rng.permutation(y)
        labels[arm.second] = y if arm.where == "more" else np.where(known, y, -1)
        if arm.where == "more":
            pools.append(np.flatnonzero(~known))
    return labels, pools


def nonsense(y, second, mixed):
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
    heads = {task: int(world.labels[task].max()) + 1 for task in labels}
    net = multitask.Network(heads, width=arm.width, seed=seed)
    order = multitask.batches(pools, STEPS * arm.times, batch=BATCH, seed=seed)
    marks = [at * arm.times for at in AT]
    for start, end in zip([0, *marks], marks, strict=False):
        weights, noise = {arm.second: weight}, [arm.second] if arm.labels == "noise" else []
        yield end, net.fit(world.x, labels, order[start:end], weights=weights, noise=noise, go_on=start > 0)


def judged(name, arm, world, seed, weight=1.0):
    """Rows of an arm: balanced accuracy of both tasks in the test; nan of a second task that has none there."""
    for steps, net in trained(arm, world, seed, weight):
        read = net.features(world.x_test)
        score = {}
        for column, task in {"accuracy": arm.main, "second": arm.second}.items():
            there = task in world.y_test and (task == arm.main or arm.labels == "true")
            score[column] = balanced(world.y_test[task], net.heads[task](read).numpy()) if there else float("nan")
        yield {"arm": name, "weight": weight if arm.second else 0.0, "steps": steps, **score}


def trial(config):
    """Balanced accuracy in percent of the main task and, where it has a test, of the second, by arm and steps taken.

    Where effects are small each seed has two draws, a "half" each. An arm with a second task is there twice: with the
    weight that was chosen, and "even", with weight 1.
    """
    seed = FIRST + config["seed"] + 500 * config["half"]
    here, rows = world(config["world"], seed), []
    for name, arm in ARMS[config["world"]].items():
        chosen = WEIGHT[config["world"]].get(name, 1.0)
        found = list(judged(name, arm, here, seed, chosen))
        rows += found
        if arm.second:
            even = found if chosen == 1 else judged(name, arm, here, seed)
            rows += [{**row, "arm": f"{name}, even"} for row in even]
    return rows
