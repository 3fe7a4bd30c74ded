"""Chapter 15: which setting does best on a fold that a network has not seen, for the use of another one.

Two folds are left out together, and the settings compared on one of them are for the other. So no setting is chosen
by systems that it is judged on, nor by networks that learnt from these.

Of each loss three settings are tried first. If one at the end is best, the next beyond it is tried as well, and that is
final. Then two more rates: a higher one, and if that is better a higher still, if not a lower one.
"""

import functools

import numpy as np

from tlcourse.experiments import few_shot, few_shot_starts
from tlcourse.methods import few_shot as learning

PARTNERS = {"0 1": ((0, 1), (1, 0)), "2 3": ((2, 3), (3, 2)), "4 0": ((0, 4),)}  # (judged on, for): of what is left out
SETTINGS = {  # the three in the middle come first
    "classifier": (None, 0.0, 10.0, 30.0, 90.0),
    "siamese": (0.5, 0.7, 1.0, 1.4, 2.0),
    "triplet, any": (0.03, 0.1, 0.3, 0.9, 2.7),
    "triplet": (0.03, 0.1, 0.3, 0.9, 2.7),
    "matching": (0.3, 1.0, 10.0, 30.0, 90.0),
    "prototypical": (0.03, 0.1, 0.3, 1.0, 3.0),
}
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # the second comes first
LED = {  # Reptile: the rate on a task, which part of the way the start follows, and whether statistics are kept in it
    "reptile": ((0.1, 0.5, "batch"), (0.3, 0.5, "batch"), (0.3, 0.5, "kept")),
    "classifier, then reptile": ((0.003, 0.5, "kept"), (0.01, 0.5, "kept"), (0.01, 0.5, "batch"), (0.03, 0.5, "batch")),
}
RULES, FIRST, STEPS = ("euclid", "cosine"), 700, 500
CONFIGS = [{"method": method, "left_out": pair} for method in (*SETTINGS, *LED, *few_shot.READY)
           for pair in PARTNERS]  # fmt: skip
MINIATURE = {
    "config": {"method": "triplet", "left_out": "0 1"},
    "STEPS": 2,
    "SETTINGS": {"triplet": (None, 0.3, 0.3, 0.3, None)},  # what is tried next hangs on what is found
    "RATES": (1e-3,) * 4,
    "few_shot.DRAWS": 2,
    "learning.FILTERS": (2, 2, 2, 2),
}


def search(score, tried):
    """`(setting, rate)` as they are tried, each with its `score`.

    Args:
        score: of a setting and a rate.
        tried: five settings in their order, the first may be None.
    """
    found = {(setting, RATES[1]): score(setting, RATES[1]) for setting in tried[1:4]}
    best, _ = max(found, key=found.get)
    beyond = {tried[1]: tried[0], tried[3]: tried[4]}.get(best)
    if beyond is not None:
        found[beyond, RATES[1]] = score(beyond, RATES[1])
        best, _ = max(found, key=found.get)
    found[best, RATES[2]] = score(best, RATES[2])
    rate = RATES[3] if found[best, RATES[2]] > found[best, RATES[1]] else RATES[0]
    return {**found, (best, rate): score(best, rate)}


def percent(embed, fold, seed):
    """Named right by each rule, in the mean over a fold's systems and over 5 and 20 ways, 1 and 5 shots."""
    scores = [few_shot.judged(embed, name, RULES, seed) for name in few_shot.systems_of(*few_shot.FOLDS[fold])]
    return {rule: float(np.mean([list(score[rule].values()) for score in scores])) for rule in RULES}


def trial(config):
    """What each setting comes to; `of` is the fold it was measured on, `chosen_for` the one that may make use of it.

    Of Reptile it is the accuracy after fine-tuning on one example of each of five letters, in one of a fold's groups.
    """
    method, seed, rows = config["method"], FIRST + config["seed"], []
    folds = map(int, config["left_out"].split())
    x, y = few_shot.training_letters(*(group for fold in folds for group in few_shot.FOLDS[fold]))

    @functools.cache
    def embedding(setting, rate):
        if method in few_shot.READY:
            return few_shot.ready(method, x, seed)
        learner = few_shot.trainer(method, setting, rate, seed).fit(x, y, steps=STEPS)
        return functools.partial(learning.embed, learner.model)

    @functools.cache
    def tuner(*outward):
        return few_shot_starts.led(method, x, y, (10.0, 3e-3), outward, seed)

    @functools.cache
    def scores(of, *setting):
        if method not in LED:
            return percent(embedding(*setting), of, seed)
        return {setting[2]: few_shot_starts.reached(tuner(*setting), few_shot.FOLDS[of][:1], 1, seed)}

    for of, chosen_for in PARTNERS[config["left_out"]]:
        if method in SETTINGS:
            tried = list(search(lambda *pair, of=of: max(scores(of, *pair).values()), SETTINGS[method]))
        else:
            tried = LED.get(method, [(0.0, 0.0)])
        for pair in tried:
            for rule, mean in scores(of, *pair).items():
                told = {"setting": float(pair[0]), "rate": pair[1], "rule": rule, "of": of, "chosen_for": chosen_for}
                rows.append({**told, "accuracy": mean})
    return rows


def to_choose(table):
    """What `few_shot.CHOSEN` has to be by the recorded table: of each method and fold `(setting, rate, rule)`."""
    rows = table.loc[table.groupby(["method", "chosen_for"]).accuracy.idxmax()]
    chosen = rows.set_index(["method", "chosen_for"])[["setting", "rate", "rule"]]
    pick = {(method, fold): (float(s), float(r), str(rule)) for (method, fold), (s, r, rule) in chosen.T.items()}
    return {method: [pick[method, fold] for fold in range(5)] for method in few_shot.CHOSEN}
