"""Chapter 08: is the paper's rank 1 worse than its rank 8?

Both at the one rate that the validation sentences of five other draws, those of `lora_rates`, choose for either.
"""

from tlcourse.experiments import lora_domains, lora_rates
from tlcourse.experiments import lora_ranks as rank_sweep

CONFIGS = [{"rank": rank} for rank in (1, 8)]
RATE = 2e-3
LATER = 100  # so that no draw is one of `lora_rates`
MINIATURE = {"config": {"rank": 2}, "rank_sweep.LENGTH": 6, "rank_sweep.TRAIN": 32, "rank_sweep.VALIDATION": 8}


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on all test sentences of films, and how many numbers were trained."""
    from tlcourse.methods import training

    seed = lora_domains.FRESH + LATER + config["seed"]
    text = rank_sweep.sentences("film", seed)
    model = rank_sweep.probe(text["train"], seed=seed)
    lora_rates.adapted(model, "flat", config["rank"], seed=seed)
    train, epochs = rank_sweep.tokens(text["train"]), rank_sweep.EPOCHS
    training.fit(model, train, epochs=epochs, learning_rate=RATE, batch_size=rank_sweep.BATCH, seed=seed)
    trainable = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    return [{"accuracy": rank_sweep.accuracy(model, lora_domains.tested("film")), "trainable": trainable}]
