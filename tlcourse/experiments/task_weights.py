"""Chapter 14: how much a second task's loss should count, on draws that nothing else is judged on.

What did best here is what `shared_tasks` takes, for an arm and for its controls alike.
"""

from tlcourse.experiments import shared_tasks

PAIRS = {  # the arms of `shared_tasks` whose weight is to be chosen
    "5 fonts": (
        "key, same",
        "key, more",
        "key, more, shuffled",
        "key, more, noise",
        "key, more, nonsense",
        "kind, more",
        "kind, more, nonsense",
        "font, more",
        "font, more, shuffled",
    ),
    "20 fonts": ("style, same", "style, same, shuffled", "style with character", "style with character, shuffled"),
    "stickers": ("domain, same", "domain, same, shuffled", "domain with class"),
}
CONFIGS = [{"world": world} for world in PAIRS]
WEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0)
FIRST = 900
MINIATURE = {
    "config": {"world": "5 fonts"},
    "PAIRS": {"5 fonts": ("key, more", "key, more, noise")},
    "WEIGHTS": (0.3,),
    "shared_tasks.STEPS": 2,
    "shared_tasks.AT": (1, 2),
    "shared_tasks.BATCH": 8,
}


def trial(config):
    """Balanced accuracy in percent of both tasks, by arm, weight and steps; weight 0 is the main task alone."""
    seed = FIRST + config["seed"]
    world, arms = shared_tasks.world(config["world"], seed), shared_tasks.ARMS[config["world"]]
    rows = []
    for main in dict.fromkeys(arms[name].main for name in PAIRS[config["world"]]):
        rows += shared_tasks.judged(f"{main} alone", shared_tasks.Arm(main), world, seed)
    for name in PAIRS[config["world"]]:
        for weight in WEIGHTS:
            rows += shared_tasks.judged(name, arms[name], world, seed, weight)
    return rows
