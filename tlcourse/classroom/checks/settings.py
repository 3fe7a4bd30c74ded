"""Checks of chapter 00: the gains of transfer, its settings, and an honest test of it."""

import numpy as np

from tlcourse.classroom.checks.core import exercise, expect, require

SETTINGS = ("inductive", "transductive", "unsupervised", "none")
# The setting of each situation, and the question that leads to it.
_SITUATIONS = {
    "a": ("inductive", "you have labels of your own, for other classes than ImageNet's. Which setting has those?"),
    "b": ("transductive", "the task is the same, only the domain changes, and all labels are on one side."),
    "c": ("unsupervised", "count the labels on either side."),
    "d": ("none", "is the test set drawn from another domain than the training set? Is the task another one?"),
}


@exercise
def settings(answer) -> str:
    """The setting of each of four situations, as a dict."""
    expect(answer, dict, 'a dict such as {"a": "inductive", …}')
    missing = sorted(set(_SITUATIONS) - set(answer))
    require(not missing, f"Still missing: {', '.join(missing)}.")
    for name, (setting, hint) in _SITUATIONS.items():
        given = str(answer[name]).strip().lower()
        require(given in SETTINGS, f"{name}: expected one of {', '.join(SETTINGS)}, got {answer[name]!r}.")
        require(given == setting, f"{name}: {hint}")
    return "First ask whether task or domain differ, then where the labels are: on the target, on the source, nowhere."


# What each of two pairs of curves gains by transfer, as chapter 00 prints them.
_GAINS = {"one": {"start", "slope"}, "two": {"start", "end"}}
_HIGHER = {
    ("one", "start"): "one: look at the numbers before any training.",
    ("one", "slope"): "one: how many points does each curve gain in its first five epochs?",
    ("one", "end"): "one: at the end both stand at the same height.",
    ("two", "start"): "two: look at the numbers before any training.",
    ("two", "slope"): "two: after five epochs it is higher, but it began higher. A slope is what is gained on the way.",
    ("two", "end"): "two: look at the last column.",
}


@exercise
def gains(answer) -> str:
    """Which of start, slope and end are higher in two pairs of curves, as a dict of sets or lists."""
    expect(answer, dict, 'a dict such as {"one": ["start", "end"], "two": []}')
    missing = sorted(set(_GAINS) - set(answer))
    require(not missing, f"Still missing: {', '.join(missing)}.")
    for pair, truth in _GAINS.items():
        given = answer[pair]
        expect(given, (list, tuple, set, frozenset, str), f'for "{pair}" a list such as ["start", "end"]')
        given = {str(word).strip().lower() for word in ([given] if isinstance(given, str) else given)}
        unknown = sorted(given - {"start", "slope", "end"})
        require(not unknown, f'{pair}: expected "start", "slope" and "end", got {", ".join(unknown)}.')
        for word in ("end", "slope", "start"):
            require((word in given) == (word in truth), _HIGHER[pair, word])
    return "A slope is what is gained on the way, not the height that is reached."


@exercise
def no_shared_concepts(train, test) -> str:
    """Noto emoji to train on and Twemoji emoji to test on, such that no thing is in both."""
    from tlcourse.material import data

    # With one seed the emoji sets come in one order of names, so that a picture's place says which thing it shows.
    whole = {domain: data.stickers(domain, size=96, test_fraction=0) for domain in ("noto", "twemoji")}
    things_of = {domain: {_key(p): i for i, p in enumerate(split.x_train)} for domain, split in whole.items()}
    labels = whole["noto"].y_train
    train_things, test_things = (
        _things(pair, name, things_of, domain, labels)
        for pair, name, domain in ((train, "train", "noto"), (test, "test", "twemoji"))
    )
    require(
        not train_things & test_things,
        "The same things are drawn in both: some emoji that are tested were trained on in the other style. Another "
        "drawing of a duck is still that duck.",
    )
    for name, things in (("train", train_things), ("test", test_things)):
        require(len(set(labels[list(things)])) == 8, f"Nothing leaks, but `{name}` does not hold all eight classes.")
    return "Nothing that is tested was seen before, in any drawing."


def _key(picture) -> bytes:
    return np.ascontiguousarray(picture).tobytes()


def _things(pair, name: str, things_of: dict[str, dict[bytes, int]], domain: str, labels) -> set[int]:
    """Which things a pair (pictures, labels) shows, all of them drawn in one domain."""
    expect(pair, (tuple, list), f"`{name}` as a pair (pictures, labels)")
    equal = len(pair) == 2 and len(pair[0]) == len(pair[1]) > 0
    require(equal, f"Expected `{name}` as a pair (pictures, labels) of equal length.")
    known, other = things_of[domain], things_of["twemoji" if domain == "noto" else "noto"]
    things = set()
    for picture, label in zip(*pair, strict=True):
        key = _key(picture)
        require(
            key not in other or key in known,
            f"`{name}` holds pictures of the other set: Noto to Noto is no transfer. Train on Noto, test on Twemoji.",
        )
        require(key in known, f"`{name}` holds a picture that is not one of {domain}'s at 96 pixels.")
        require(int(label) == labels[known[key]], f"`{name}` gives a picture a label that is not its own.")
        things.add(known[key])
    return things
