"""Checks of chapter 00: the settings of transfer, the lecture's chart, and an honest test of transfer."""

import numpy as np

from tlcourse.classroom.checks.core import NotYet, exercise, require

SETTINGS = ("inductive", "transductive", "unsupervised", "none")
_TRUTH = {"a": "inductive", "b": "transductive", "c": "unsupervised", "d": "none"}
_HINTS = {
    "a": "a: you have labels of your own, for other classes than ImageNet's. Which setting needs target labels?",
    "b": "b: the task is the same, only the domain changes, and all labels are on one side.",
    "c": "c: count the labels on either side.",
    "d": "d: is the test set drawn from another domain than the training set? Is the task another one?",
}


@exercise
def settings(answer) -> str:
    """The setting of each of four situations, as a dict."""
    require(isinstance(answer, dict), f'Expected a dict such as {{"a": "inductive", …}}, got {answer!r}.')
    missing = sorted(set(_TRUTH) - set(answer))
    require(not missing, f"Still missing: {', '.join(missing)}.")
    for name in _TRUTH:
        given = str(answer[name]).strip().lower()
        require(given in SETTINGS, f"{name}: expected one of {', '.join(SETTINGS)}, got {answer[name]!r}.")
        require(given == _TRUTH[name], _HINTS[name])
    return "Where the labels are decides the setting: on the target, only on the source, nowhere."


@exercise
def misprint(answer) -> str:
    """Which line of the lecture's table cannot be meant as printed."""
    given = str(answer).strip().lower()
    require(given in ("small", "medium", "large"), f'Expected "small", "medium" or "large", got {answer!r}.')
    require(given != "small", "With little data that is the standard advice: few labels can only fix few parameters.")
    require(given != "medium", "That is the compromise between the two extremes. What should be the other extreme?")
    return (
        "With everything frozen an initialisation has nothing to initialise. It must mean: freeze *no* layer, "
        "and start from the pretrained weights."
    )


@exercise
def no_shared_concepts(train, test) -> str:
    """Noto emoji to train on and Twemoji emoji to test on, such that no thing is in both."""
    from tlcourse.material import data

    noto, twemoji = (_names(data.stickers(domain, size=96)) for domain in ("noto", "twemoji"))
    train_names, test_names = (
        _recognised(pair, name, noto, twemoji) for pair, name in ((train, "train"), (test, "test"))
    )
    require(
        all(domain == "noto" for domain, _ in train_names),
        "Some of `train` is Twemoji: the question was what Noto teaches.",
    )
    require(
        all(domain == "twemoji" for domain, _ in test_names),
        "Some of `test` is Noto: then part of it is no transfer at all.",
    )
    shared = {side for _, side in train_names} & {side for _, side in test_names}
    require(
        not shared,
        "The same things are drawn in both: every emoji that is tested was trained on in the other style. Splits are "
        "made by name, so that one side of Noto and the *other* side of Twemoji have nothing in common.",
    )
    require(
        {side for _, side in train_names} == {"train"},
        "Nothing is shared, but you train on the smaller side and test on the larger: take train to train on.",
    )
    return "Nothing that is tested was seen before, in any drawing."


def _names(split) -> dict[bytes, str]:
    """Which side of its split a picture is on, by its pixels."""
    sides = ((split.x_train, "train"), (split.x_test, "test"))
    return {np.ascontiguousarray(picture).tobytes(): side for x, side in sides for picture in x}


def _recognised(pair, name: str, noto, twemoji) -> list[tuple[str, str]]:
    """(domain, side) of each picture of a pair (pictures, labels)."""
    if not (isinstance(pair, tuple) and len(pair) == 2 and len(pair[0]) == len(pair[1]) > 0):
        raise NotYet(f"Expected `{name}` as a pair (pictures, labels) of equal length.")
    found = []
    for picture in pair[0]:
        key = np.ascontiguousarray(picture).tobytes()
        domain, sides = ("noto", noto) if key in noto else ("twemoji", twemoji)
        require(key in sides, f"`{name}` holds a picture that is neither from Noto nor from Twemoji at 96 pixels.")
        found.append((domain, sides[key]))
    return found
