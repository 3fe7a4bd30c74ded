"""Chapter 08: an adapter for films and one for products over the same frozen base, each tested on both."""

from tlcourse.experiments import lora_ranks as rank_sweep

CONFIGS = [{"source": source} for source in ("film", "product")]
RANK, TEST = 4, 600
MINIATURE = {"config": {"source": "film"}, "RANK": 2, "TEST": 16, "rank_sweep.LENGTH": 6, "rank_sweep.TRAIN": 32,
             "rank_sweep.VALIDATION": 8}  # fmt: skip


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent on either domain, of the probe and of the adapter trained on the source."""
    from tlcourse.methods import training

    seed, source = config["seed"], config["source"]
    text = {domain: rank_sweep.sentences(domain, seed) for domain in ("film", "product")}
    test = {domain: rank_sweep.tokens(tuple(column[:TEST] for column in text[domain]["test"])) for domain in text}
    train = text[source]["train"]
    model = rank_sweep.probe(train, seed=seed)
    rows = [{"method": "probe", "target": t, "accuracy": rank_sweep.accuracy(model, test[t])} for t in test]
    rate = rank_sweep.prepare(model, f"rank {RANK}", seed=seed)
    epochs, batch = rank_sweep.EPOCHS, rank_sweep.BATCH
    train = rank_sweep.tokens(train)
    training.fit(model, train, epochs=epochs, learning_rate=rate, batch_size=batch, seed=seed)
    return rows + [{"method": "adapter", "target": t, "accuracy": rank_sweep.accuracy(model, test[t])} for t in test]
