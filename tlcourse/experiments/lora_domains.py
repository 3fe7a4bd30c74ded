"""Chapter 08: an adapter for films and one for products over the same frozen base, each tested on both.

The draws are others than those of `lora_ranks`, which the claims were worded after, and the same as in `lora_spectrum`,
so that full fine-tuning stands beside, draw by draw. The test is all test sentences of a domain.
"""

from tlcourse.experiments import lora_ranks as rank_sweep

CONFIGS = [{"source": source} for source in ("film", "product")]
RANK, FRESH = 4, 100
MINIATURE = {"config": {"source": "film"}, "RANK": 2, "rank_sweep.LENGTH": 6, "rank_sweep.TRAIN": 32,
             "rank_sweep.VALIDATION": 8}  # fmt: skip


def tested(domain: str) -> tuple:
    """Tokens and labels of all test sentences of a domain."""
    from tlcourse.material import data

    reviews = data.reviews(domain)
    return rank_sweep.tokens((reviews.x_test, reviews.y_test))


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent on either domain, of the probe and of the adapter trained on the source."""
    from tlcourse.methods import training

    seed, source = FRESH + config["seed"], config["source"]
    test = {domain: tested(domain) for domain in ("film", "product")}
    train = rank_sweep.sentences(source, seed)["train"]
    model = rank_sweep.probe(train, seed=seed)
    rows = [{"method": "probe", "target": t, "accuracy": rank_sweep.accuracy(model, test[t])} for t in test]
    rate = rank_sweep.prepare(model, f"rank {RANK}", seed=seed)
    epochs, batch = rank_sweep.EPOCHS, rank_sweep.BATCH
    train = rank_sweep.tokens(train)
    training.fit(model, train, epochs=epochs, learning_rate=rate, batch_size=batch, seed=seed)
    return rows + [{"method": "adapter", "target": t, "accuracy": rank_sweep.accuracy(model, test[t])} for t in test]
