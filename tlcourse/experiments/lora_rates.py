"""Chapter 08: does a low rank cost accuracy, each rank at a learning rate of its own? And the pair as the paper has it.

Keras gives each of attention's twelve heads a matrix A of its own: its "rank 1" is an update of rank 12. A flat pair,
one A (384, r) and one B (r, 384) for all heads, is as narrow as its rank says. Every arm starts from the probe of the
draw and is trained at each rate; which one counts, the notebook chooses by the validation sentences of other draws.
"""

from tlcourse.experiments import lora_domains
from tlcourse.experiments import lora_ranks as rank_sweep

CONFIGS = [
    *({"pair": "flat", "rank": rank} for rank in (1, 4, 8)),
    *({"pair": "by head", "rank": rank} for rank in (1, 32)),
]
RATES = (5e-4, 2e-3, 8e-3)
MINIATURE = {"config": {"pair": "flat", "rank": 2}, "RATES": (2e-3, 8e-3), "rank_sweep.LENGTH": 6,
             "rank_sweep.TRAIN": 32, "rank_sweep.VALIDATION": 8}  # fmt: skip


def flatten(layer, rank: int, *, seed: int) -> None:
    """Give an attention map, its kernel (d, heads, k), the pair (d, rank) and (rank, heads k) of the paper's LoRA."""
    import keras

    from tlcourse.methods import lora

    class Flat(type(layer)):
        @property
        def kernel(self):
            update = keras.ops.matmul(self.flat_a, self.flat_b)
            return self._kernel + lora.ALPHA / rank * keras.ops.reshape(update, self._kernel.shape)

    inputs, heads, each = layer.kernel.shape
    gaussian = keras.initializers.RandomNormal(stddev=inputs**-0.5, seed=seed)
    layer._tracker.unlock()
    layer.flat_a = layer.add_weight(name="lora_kernel_a", shape=(inputs, rank), initializer=gaussian)
    layer.flat_b = layer.add_weight(name="lora_kernel_b", shape=(rank, heads * each), initializer="zeros")
    layer._tracker.lock()
    layer.__class__ = Flat


def adapted(model, pair: str, rank: int, *, seed: int) -> None:
    """Put pairs on query and value of every layer; they and the classifier are all that training may change."""
    from tlcourse.methods import lora

    if pair == "by head":
        lora.adapt(model, rank, parts=rank_sweep.PARTS, head="logits", seed=seed)
        return
    for i, layer in enumerate(lora._named(model, rank_sweep.PARTS)):
        flatten(layer, rank, seed=1000 * seed + i)
    for weight in model.weights:
        weight.trainable = "lora" in weight.path or weight.path.startswith("logits")


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on test and validation sentences, for each rate; and how many numbers train."""
    import numpy as np

    from tlcourse.methods import training

    seed = lora_domains.FRESH + config["seed"]
    text, test = rank_sweep.sentences("film", seed), lora_domains.tested("film")
    model = rank_sweep.probe(text["train"], seed=seed)
    adapted(model, config["pair"], config["rank"], seed=seed)
    free = model.trainable_weights
    start, rows = [np.array(weight.numpy()) for weight in free], []
    train, validation = rank_sweep.tokens(text["train"]), rank_sweep.tokens(text["validation"])
    epochs, batch = rank_sweep.EPOCHS, rank_sweep.BATCH
    for rate in RATES:
        for weight, value in zip(free, start, strict=True):
            weight.assign(value)
        training.fit(model, train, epochs=epochs, learning_rate=rate, batch_size=batch, seed=seed)
        scores = {"accuracy": rank_sweep.accuracy(model, test), "validation": rank_sweep.accuracy(model, validation)}
        rows.append({"rate": rate, **scores, "trainable": sum(value.size for value in start)})
    return rows
