"""Chapter 15: which setting does best on a fold that a network has not seen, for the use of another one.

Two folds are left out together, and the settings compared on one of them are for the other. So no setting is chosen
by systems that it is judged on, nor by networks that learnt from these.
"""

import functools

from tlcourse.experiments import few_shot

PARTNERS = {"0 1": ((0, 1), (1, 0)), "2 3": ((2, 3), (3, 2)), "4 0": ((0, 4),)}  # (judged on, for): of what is left out
SETTINGS = {
    "classifier": (0.0, 10.0, 30.0),
    "siamese": (1.0, 3.0, 10.0),
    "triplet": (0.1, 0.3, 0.9),
    "matching": (1.0, 10.0, 30.0),
    "prototypical": (0.1, 0.3, 1.0),
}
RATES, RULES, FIRST = (1e-3, 3e-3), ("euclid", "cosine"), 700
CONFIGS = [{"method": method, "left_out": pair} for method in (*SETTINGS, "pixels", "HOG", "off the shelf", "untrained")
           for pair in PARTNERS]  # fmt: skip
STEPS = 1000
MINIATURE = {
    "config": {"method": "triplet", "left_out": "0 1"},
    "STEPS": 2,
    "RATES": (1e-3,),
    "SETTINGS": {"triplet": (0.3,)},
    "few_shot.DRAWS": 2,
}


def trial(config):
    """Percent named right, in the mean over a fold's systems and over 5 and 20 ways, 1 and 5 shots.

    `of` is the fold that it was measured on, `chosen_for` the one that may make use of it.
    """
    from tlcourse.methods import few_shot as learning

    method, seed, rows = config["method"], FIRST + config["seed"], []
    pair = PARTNERS[config["left_out"]]
    x, y = few_shot.training_letters(*map(int, config["left_out"].split()))
    for setting in SETTINGS.get(method, (0.0,)):
        for rate in RATES if method in SETTINGS else (0.0,):
            embed = few_shot.ready(method, seed) if method in few_shot.READY else None
            if embed is None:
                learner = few_shot.trainer(method, setting, rate, seed).fit(x, y, steps=STEPS)
                embed = functools.partial(learning.embed, learner.model)
            for of, chosen_for in pair:
                for rule in RULES:
                    scores = [few_shot.judged(embed, name, rule, seed) for name in few_shot.systems_of(of)]
                    mean = sum(sum(score.values()) / len(score) for score in scores) / len(scores)
                    told = {"setting": float(setting), "rate": rate, "rule": rule, "of": of, "chosen_for": chosen_for}
                    rows.append({**told, "accuracy": float(mean)})
    return rows
