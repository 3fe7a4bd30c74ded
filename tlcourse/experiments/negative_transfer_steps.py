"""Chapter 19: is a source that harms when fine-tuned really worse, or only not finished? Four times the steps.

The sources are those that were four points or more below scratch on the letters, fine-tuned for 160 steps, in an
earlier recording of five draws, when fonts were not yet split by family.
"""

from tlcourse.experiments import negative_transfer

HARMFUL = ("inverted", "pictograms", "clip art", "fonts", "random labels", "shuffled pixels", "noise")
CONFIGS = [{"source": source, "steps": 640} for source in (*HARMFUL, "untrained")]
MINIATURE = {
    "config": {"source": "letters", "steps": 1},
    "negative_transfer.SOURCE_STEPS": 1,
    "negative_transfer.BATCH": 8,
}


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on the letters, everything fine-tuned."""
    seed = config["seed"]
    sources, targets = negative_transfer.worlds(seed)
    base = negative_transfer.source_network(config["source"], sources, seed=seed)
    reached = negative_transfer.transferred(base, targets["letters"], frozen=False, steps=config["steps"], seed=seed)
    return [{"accuracy": reached}]
