"""Chapter 05: seconds to one test accuracy, features extracted once against the frozen-base loop of the Keras guide."""

CONFIGS = [{"size": 224}]


def trial(config: dict) -> list[dict]:
    """See `probe_race.race`; both sides are timed within this one run."""
    from tlcourse.workshop import probe_race

    return [probe_race.race(size=config["size"], seed=config["seed"])]
