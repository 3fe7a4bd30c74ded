"""Chapter 08: which of MiniLM's six layers to train on film sentences, the last ones or the first ones?

The embeddings of the tokens stay frozen; every arm starts from the probe of the draw, and its classifier trains along.
Each arm has the rate that did best on validation sentences of two other draws (seeds 900 and 901).
"""

from tlcourse.experiments import lora_domains
from tlcourse.experiments import lora_ranks as rank_sweep

LAYERS = 6
# What is trained, and at which rate.
RATES = {"nothing": 0.0, "last 1": 3e-5, "last 3": 1e-4, "first 3": 1e-4, "first 1": 3e-4, "all 6": 3e-5}
CONFIGS = [{"part": part} for part in RATES]
MINIATURE = {"config": {"part": "first 3"}, "rank_sweep.LENGTH": 6, "rank_sweep.TRAIN": 32,
             "rank_sweep.VALIDATION": 8}  # fmt: skip


def thaw(model, part: str) -> None:
    """Let only the classifier and so many of the transformer's first or last layers change; "nothing": no layer."""
    side, _, count = part.partition(" ")
    layers = range(1, LAYERS + 1)
    chosen = layers[LAYERS - int(count) :] if side == "last" else layers[: int(count or 0)]
    free = (*(f"layer{i}_" for i in chosen), "logits")
    for layer in model.layers:
        layer.trainable = layer.name.startswith(free)


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent on all test sentences of films, and how many numbers were trained."""
    from tlcourse.methods import training

    part, seed = config["part"], lora_domains.FRESH + config["seed"]
    text = rank_sweep.sentences("film", seed)
    model = rank_sweep.probe(text["train"], seed=seed)
    thaw(model, part)
    epochs, batch = rank_sweep.EPOCHS, rank_sweep.BATCH
    if part != "nothing":
        train = rank_sweep.tokens(text["train"])
        training.fit(model, train, epochs=epochs, learning_rate=RATES[part], batch_size=batch, seed=seed)
    trainable = sum(weight.shape.num_elements() for weight in model.trainable_weights)
    return [{"accuracy": rank_sweep.accuracy(model, lora_domains.tested("film")), "trainable": trainable}]
