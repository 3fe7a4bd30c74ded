"""Chapter 19: is the network that comes from the fonts harmed, or only not finished? Four times the steps."""

from tlcourse.experiments import negative_transfer

CONFIGS = [{"source": source, "steps": 640} for source in ("fonts", "untrained")]


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on the letters, everything fine-tuned."""
    seed = config["seed"]
    sources, targets = negative_transfer.worlds(seed)
    base = negative_transfer.source_network(config["source"], sources, seed=seed)
    reached = negative_transfer.transferred(base, targets["letters"], frozen=False, steps=config["steps"], seed=seed)
    return [{"accuracy": reached}]
