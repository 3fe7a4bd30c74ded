"""Chapter 14: how much a second task's loss should count and when to stop, on other draws of the same fonts.

What did best here is what `shared_tasks` takes, for an arm and for its controls alike. The main task alone has no such
weight: on five fonts it chooses a rate and a dropout, out of as many, and all arms have them.
"""

from tlcourse.experiments import shared_tasks

PAIRS = {  # the arms of `shared_tasks` whose weight is to be chosen; of twenty fonts, to be looked at
    "5 fonts": (
        "key, same",
        "key, more",
        "key, more, shuffled",
        "key, more, noise",
        "key, more, mixed",
        "kind, more",
        "font, more",
        "font, more, shuffled",
    ),
    "20 fonts": ("style, same", "style with character"),
}
CONFIGS = [{"world": world} for world in PAIRS]
WEIGHTS = (0.01, 0.1, 0.3, 1.0, 3.0)
KNOBS = ((5e-4, 0.0), (1e-3, 0.0), (2e-3, 0.0), (4e-3, 0.0), (2e-3, 0.3))  # rate and dropout, of a task alone
FIRST = 900
MINIATURE = {
    "config": {"world": "5 fonts"},
    "PAIRS": {"5 fonts": ("key, more", "key, more, noise")},
    "WEIGHTS": (0.3,),
    "KNOBS": ((1e-3, 0.0), (1e-3, 0.3)),
    "shared_tasks.STEPS": 2,
    "shared_tasks.AT": (1, 2),
    "shared_tasks.BATCH": 8,
}


def trial(config):
    """Rows of `shared_tasks.judged` by arm, rate, dropout, weight and steps; weight 0 is the main task alone."""
    seed = FIRST + config["seed"]
    world, arms = shared_tasks.world(config["world"], seed), shared_tasks.ARMS[config["world"]]
    tried = [
        (f"{main} alone", shared_tasks.Arm(main, rate=rate, dropout=dropout), 0.0)
        for main in dict.fromkeys(arms[name].main for name in PAIRS[config["world"]])
        for rate, dropout in (KNOBS if config["world"] == "5 fonts" else [(shared_tasks.RATE, shared_tasks.DROPOUT)])
    ]
    tried += [(name, arms[name], weight) for name in PAIRS[config["world"]] for weight in WEIGHTS]
    rows = []
    for name, arm, weight in tried:
        found = shared_tasks.judged(name, arm, world, seed, weight)
        rows += [{**row, "rate": arm.rate, "dropout": arm.dropout} for row in found]
    return rows
