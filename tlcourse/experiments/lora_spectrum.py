"""Chapter 08: how many singular values does the update need that full fine-tuning of MiniLM finds?

The run is that of `lora`'s "full". Then the update of every kernel of the six transformer layers is cut to its largest
singular values and the network tested again, on all test sentences; embeddings, biases and norms keep what they learnt.
"""

from tlcourse.experiments import lora_domains
from tlcourse.experiments import lora_ranks as rank_sweep

CONFIGS = [{"method": "full"}]
KEPT = (0, 1, 2, 4, 16, 384)  # the last is the whole update
MINIATURE = {"config": {"method": "full"}, "KEPT": (0, 1, 8), "rank_sweep.LENGTH": 6, "rank_sweep.TRAIN": 32,
             "rank_sweep.VALIDATION": 8}  # fmt: skip


def as_matrix(name: str, kernel):
    """A kernel as the matrix from its layer's inputs to its outputs: `(384, 384)` for all four of attention."""
    inputs = kernel.shape[0] * kernel.shape[1] if name == "attention_output" else kernel.shape[0]
    return kernel.reshape(inputs, -1)


def cut(parts, rank: int):
    """The nearest matrix of that rank (Eckart and Young, 1936), from a matrix's singular value decomposition."""
    left, values, right = parts
    return (left[:, :rank] * values[:rank]) @ right[:rank]


def energy(parts, rank: int) -> float:
    """Share of the squared entries, in percent, that the nearest matrix of that rank keeps."""
    squares = parts[1] ** 2
    return 100 * squares[:rank].sum() / squares.sum()


def trial(config: dict) -> list[dict]:
    """For each rank kept: balanced test accuracy in percent, and the share of energy, mean of the 36 updates."""
    import numpy as np

    from tlcourse.methods import training

    seed = lora_domains.FRESH + config["seed"]
    text = rank_sweep.sentences("film", seed)
    model = rank_sweep.probe(text["train"], seed=seed)
    rate = rank_sweep.prepare(model, config["method"], seed=seed)
    kernels = [w for w in model.weights if w.path.startswith("layer") and w.path.endswith("kernel")]
    before = [np.array(w.numpy()) for w in kernels]
    train, test = rank_sweep.tokens(text["train"]), lora_domains.tested("film")
    epochs, batch = rank_sweep.EPOCHS, rank_sweep.BATCH
    training.fit(model, train, epochs=epochs, learning_rate=rate, batch_size=batch, seed=seed)
    updates = (as_matrix(w.path.split("/")[-2], w.numpy() - old) for w, old in zip(kernels, before, strict=True))
    parts = [np.linalg.svd(update, full_matrices=False) for update in updates]  # once; every rank is cut from it
    rows = []
    for kept in KEPT:
        for weight, old, part in zip(kernels, before, parts, strict=True):
            weight.assign(old + cut(part, kept).reshape(old.shape))
        shares = np.mean([energy(part, kept) for part in parts])
        rows.append({"kept": kept, "accuracy": rank_sweep.accuracy(model, test), "energy": shares})
    return rows
