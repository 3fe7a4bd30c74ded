"""Chapter 08: low-rank adaptation of MiniLM at six ranks, beside the probe and full fine-tuning.

Every run draws its own film sentences, starts from the same trained classifier on the frozen embeddings (the probe),
and passes once over them. The rates were chosen on validation sentences, with seeds that are not used here; one rate
serves all ranks of attention's adapters.
"""

RANKS = (1, 2, 4, 8, 16, 32)
METHODS = ("probe", "head", "query and value", "full", *(f"rank {rank}" for rank in RANKS), "projections")
CONFIGS = [{"method": method} for method in METHODS]
CLOCKED = ("seconds", "cpu_seconds")
LENGTH, TRAIN, VALIDATION, TEST, BATCH, EPOCHS = 32, 1200, 400, 1000, 16, 1
PARTS = ("query", "value")
PROJECTIONS_RANK = 8  # of attention's output and of the dense layers that follow it
RATES = {"rank": 2e-3, "head": 2e-3, "projections": 1e-3, "query and value": 5e-4, "full": 5e-5}
MINIATURE = {"config": {"method": "rank 2"}, "LENGTH": 6, "TRAIN": 32, "VALIDATION": 8}


def sentences(domain: str, seed: int) -> dict[str, tuple]:
    """Texts and labels to train on, to validate and to test on; the first two are drawn anew with each seed."""
    import numpy as np

    from tlcourse.material import data

    reviews = data.reviews(domain)
    rows = np.random.default_rng(seed).permutation(len(reviews.x_train))
    train, validation = rows[:TRAIN], rows[TRAIN : TRAIN + VALIDATION]
    return {
        "train": (reviews.x_train[train], reviews.y_train[train]),
        "validation": (reviews.x_train[validation], reviews.y_train[validation]),
        "test": (reviews.x_test[:TEST], reviews.y_test[:TEST]),
    }


def tokens(pair: tuple) -> tuple:
    """Token numbers `(n, LENGTH)` int32 in the place of the texts."""
    from tlcourse.material import backbones

    return backbones.tokenize(pair[0], length=LENGTH), pair[1]


def probe(train: tuple, *, seed: int):
    """MiniLM with a classifier on top that was trained on its frozen embeddings: `(n, LENGTH)` tokens to two logits."""
    import keras
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    from tlcourse.material import backbones, features

    keras.utils.set_random_seed(seed)
    base = backbones.minilm(length=LENGTH)
    model = keras.Model(base.input, keras.layers.Dense(2, name="logits")(base.output))
    line = LogisticRegression(max_iter=1000).fit(features.embed(train[0], length=LENGTH), train[1])
    kernel = np.column_stack([-line.coef_[0], line.coef_[0]]) / 2
    model.get_layer("logits").set_weights([kernel, np.array([-0.5, 0.5]) * line.intercept_])
    return model


def prepare(model, method: str, *, seed: int) -> float:
    """Choose what may change, and return the learning rate."""
    from tlcourse.methods import lora

    if method == "projections":
        after = [layer.name for layer in model.layers if layer.name.endswith(("_expand", "_project"))]
        lora.adapt(model, PROJECTIONS_RANK, parts=("attention_output", *after), head="logits", seed=seed)
        return RATES[method]
    if method.startswith("rank"):
        lora.adapt(model, int(method.split()[1]), parts=PARTS, head="logits", seed=seed)
        return RATES["rank"]
    free = {"probe": ("logits",), "head": ("logits",), "query and value": ("query", "value", "logits")}.get(method)
    for weight in model.weights:
        layer, name = weight.path.split("/")[-2:]
        weight.trainable = free is None or layer in free and (name == "kernel" or layer == "logits")
    return RATES.get(method, 0.0)


def accuracy(model, pair: tuple) -> float:
    """In percent, balanced over the two classes."""
    from tlcourse.methods import training

    return training.accuracy(pair[1], model.predict(pair[0], batch_size=64, verbose=0))


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent, what was trained and what it takes to keep it; seconds of wall and CPU to train."""
    import time

    from tlcourse.methods import lora, training

    seed, method = config["seed"], config["method"]
    text = sentences("film", seed)
    model = probe(text["train"], seed=seed)
    rate = prepare(model, method, seed=seed)
    wall, cpu = time.perf_counter(), time.process_time()
    if method != "probe":
        training.fit(model, tokens(text["train"]), epochs=EPOCHS, learning_rate=rate, batch_size=BATCH, seed=seed)
    seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    scores = {part: accuracy(model, tokens(text[part])) for part in ("test", "validation")}
    return [{"accuracy": scores["test"], "validation": scores["validation"], **lora.cost(model), **seconds}]
