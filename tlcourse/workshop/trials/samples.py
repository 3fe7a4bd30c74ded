"""Chapters 04 and 05: accuracy against training pictures a class, for a probe, fine-tuning and training from scratch.

Two targets of eight classes: "things", the stickers of all five domains, is near what the network learnt from;
"letters", eight letters of the alphabet in 400 fonts, is far from it. Each run draws classes (letters), training and
test pictures anew; what the emoji sets draw under one name is on one side in all of them, and so is a font.
"""

TREATMENTS = ("probe", "top half", "whole network", "scratch")
CONFIGS = [{"target": target, "treatment": each} for target in ("things", "letters") for each in TREATMENTS]
SIZE = {"things": 96, "letters": 64}
SHOTS = {"things": (2, 6, 16, 48), "letters": (2, 6, 16, 48, 144)}  # 8 classes each: whole batches of 16
SCRATCH_SHOTS = {"things": (6, 48), "letters": (6, 48, 144)}  # it takes longest
TOP = {"top half": 5, "whole network": 10, "scratch": 10}  # blocks that train: from block5 upwards, or all ten
RATE = {"things": 1e-4, "letters": 3e-4}  # for fine-tuning; chosen on validation pictures of another seed
SCRATCH_RATE, BATCH = 1e-3, 16
STEPS = {"top half": 120, "whole network": 120, "scratch": 240}  # at least, and at least so many epochs:
EPOCHS = {"top half": 5, "whole network": 5, "scratch": 10}


def things(seed: int):
    """Training and test pictures of the stickers, all domains together: `(x_train, y_train, x_test, y_test)`."""
    import numpy as np

    from tlcourse.material import data

    size = SIZE["things"]
    parts = [data.stickers(domain, size=size, test_fraction=0.3, seed=seed) for domain in data.STICKER_DOMAINS]
    return tuple(np.concatenate([getattr(p, n) for p in parts]) for n in ("x_train", "y_train", "x_test", "y_test"))


def letters(seed: int):
    """Eight letters, drawn from the alphabet, in 300 fonts to train on and 100 others to test on."""
    import numpy as np
    from PIL import Image

    from tlcourse.material import data

    rng = np.random.default_rng(seed)
    images = data.glyphs(sorted(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 8, replace=False))).images
    size = (SIZE["letters"], SIZE["letters"])
    fonts = rng.permutation(len(images))

    def part(chosen):
        x = [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BICUBIC)) for f in chosen for i in images[f]]
        return np.repeat(np.stack(x)[..., None], 3, axis=3), np.tile(np.arange(8), len(chosen))

    return *part(fonts[:300]), *part(fonts[300:])


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent for each number of training pictures a class."""
    target, seed = config["target"], config["seed"]
    x_train, y_train, x_test, y_test = {"things": things, "letters": letters}[target](seed)
    scratch = config["treatment"] == "scratch"
    rate, shots = (SCRATCH_RATE, SCRATCH_SHOTS[target]) if scratch else (RATE[target], SHOTS[target])
    return curve(config["treatment"], (x_train, y_train), (x_test, y_test), shots=shots, rate=rate, seed=seed)


def curve(treatment: str, train, test, *, shots, rate: float, seed: int) -> list[dict]:
    """One network, trained from the same start with each number of pictures a class, drawn from `train`."""
    import keras
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score

    from tlcourse.material import backbones, features
    from tlcourse.methods import fine_tuning, freezing

    keras.utils.set_random_seed(seed)
    (x, y), (x_test, y_test), size = train, test, train[0].shape[1]
    weights = None if treatment == "scratch" else "imagenet"
    model = backbones.efficientnet_lite0(classes=8, input_size=size, weights=weights)
    rng = np.random.default_rng(seed)
    most = np.concatenate([rng.permutation(np.flatnonzero(y == label))[: max(shots)] for label in range(8)])
    used, y_used = np.concatenate([x[most], x_test]).astype("float32"), y[most]
    if treatment != "scratch":
        pooled = features.extract(keras.Model(model.input, model.get_layer("pool").output), used, cache=False)
    upper = model
    if treatment in TOP:
        freezing.thaw(model, TOP[treatment], batch_norm=treatment == "scratch")
        if TOP[treatment] < len(freezing.blocks(model)):
            lower, upper = fine_tuning.cut(model, TOP[treatment])
            used = features.extract(lower, used, cache=False)
        optimizer = keras.optimizers.Adam(rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        upper.compile(optimizer, loss)  # once for all numbers of shots: tracing takes longer than training
        optimizer.build(upper.trainable_variables)
        fresh, start = [np.array(v) for v in optimizer.variables], model.get_weights()
    rows = []
    for k in shots:
        chosen = np.add.outer(max(shots) * np.arange(8), np.arange(k)).ravel()  # the first k of each class
        if treatment in TOP:
            model.set_weights(start)
            for variable, value in zip(optimizer.variables, fresh, strict=True):
                variable.assign(value)
        if treatment != "scratch":
            probe = fine_tuning.put_probe(model, pooled[chosen], y_used[chosen])
        if treatment in TOP:
            steps = max(STEPS[treatment], EPOCHS[treatment] * len(chosen) // BATCH)
            upper.fit(used[chosen], y_used[chosen], batch_size=BATCH, epochs=steps * BATCH // len(chosen), verbose=0)
            if treatment == "scratch":
                fine_tuning.refresh_statistics(model, used[chosen], batch_size=BATCH)
            guessed = np.argmax(upper.predict(used[len(most) :], verbose=0), axis=1)
        else:
            guessed = probe.predict(pooled[len(most) :])
        rows.append({"k": k, "accuracy": 100 * balanced_accuracy_score(y_test, guessed)})
    return rows
