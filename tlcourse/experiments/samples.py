"""Chapters 04 and 05: accuracy against training pictures a class, for probes, fine-tuning and training from scratch.

Two targets of eight classes: "things", the stickers of all five domains, is near what the network learnt from;
"letters", eight letters of the alphabet in 400 fonts, is far from it. Each run draws classes (letters), training and
test pictures anew; what the emoji sets draw under one name is on one side in all of them, and so is a font.
"""

READERS = ("last block", "known block", "block by cross-validation")
TREATMENTS = ("probe", *READERS, "top half", "whole network", "scratch")
CONFIGS = [{"target": target, "treatment": each} for target in ("things", "letters") for each in TREATMENTS]
SIZE = {"things": 96, "letters": 64}
SHOTS = {"things": (2, 6, 16, 48), "letters": (2, 6, 16, 48, 144)}  # 8 classes each: whole batches of 16
SCRATCH_SHOTS = {"things": (6, 48), "letters": (6, 48, 144)}  # it takes longest
TOP = {"top half": 5, "whole network": 10, "scratch": 10}  # blocks that train: from block5 upwards, or all ten
# Of a linear SVM: block, scaling and C, best over all numbers of shots on two other seeds, out of 18 blocks and all of
# them together, three scalings and five strengths; and the same with the last block given.
KNOWN = {"things": ("block6d", "length", 10), "letters": ("block5b", "spread", 0.1)}
LAST = {"things": ("top", "length", 10), "letters": ("top", "length", 10)}
FOLDS = 2  # as many as the fewest pictures a class
SCALED = (("length", 10), ("spread", 0.1))  # what cross-validation chooses from, with each block
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
    if config["treatment"] in READERS:
        known = {"last block": LAST, "known block": KNOWN}.get(config["treatment"], {}).get(target)
        return read_a_block(known, (x_train, y_train), (x_test, y_test), shots=SHOTS[target], seed=seed)
    scratch = config["treatment"] == "scratch"
    rate, shots = (SCRATCH_RATE, SCRATCH_SHOTS[target]) if scratch else (RATE[target], SHOTS[target])
    return curve(config["treatment"], (x_train, y_train), (x_test, y_test), shots=shots, rate=rate, seed=seed)


def drawn(y, most: int, seed: int):
    """Row numbers of `most` examples of each of the eight classes, class by class, in random order."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(np.flatnonzero(y == label))[:most] for label in range(8)])


def first(k: int, most: int):
    """Which of the drawn examples are the first `k` of each class."""
    import numpy as np

    return np.add.outer(most * np.arange(8), np.arange(k)).ravel()


def read_a_block(known: tuple | None, train, test, *, shots, seed: int) -> list[dict]:
    """A linear SVM on the pooled output of one block, with each number of pictures a class.

    The block, its scaling and the SVM's strength are `known`, or cross-validated within the training pictures.
    """
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler
    from sklearn.svm import SVC

    from tlcourse.material import backbones, features
    from tlcourse.methods import layer_features

    (x, y), (x_test, y_test) = train, test
    most = drawn(y, max(shots), seed)
    reader, names = layer_features.block_reader(backbones.efficientnet_lite0(input_size=x.shape[1]))
    used = np.concatenate([x[most], x_test]).astype("float32")
    rows, y = features.extract(reader, used, cache=False)[:, 0], y[most]

    def svm(scaling, strength):
        scaler = {"length": Normalizer, "spread": StandardScaler}[scaling]
        return make_pipeline(scaler(), SVC(kernel="linear", C=strength))

    def validated(setting, chosen):
        block, *scaled = setting
        return cross_val_score(svm(*scaled), rows[chosen][:, names == block], y[chosen], cv=FOLDS).mean()

    settings = [known] if known else [(block, *scaled) for block in dict.fromkeys(names) for scaled in SCALED]
    found = []
    for k in shots:
        chosen = first(k, max(shots))
        block, *scaled = known or max(settings, key=lambda setting, chosen=chosen: validated(setting, chosen))
        fitted = svm(*scaled).fit(rows[chosen][:, names == block], y[chosen])
        guessed = fitted.predict(rows[len(most) :, names == block])
        found.append({"k": k, "accuracy": 100 * balanced_accuracy_score(y_test, guessed)})
    return found


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
    most = drawn(y, max(shots), seed)
    used, y_used = np.concatenate([x[most], x_test]).astype("float32"), y[most]
    if treatment != "scratch":
        pooled = features.extract(keras.Model(model.input, model.get_layer("pool").output), used, cache=False)
    if treatment in TOP:
        freezing.thaw(model, TOP[treatment], batch_norm=treatment == "scratch")
        lower, upper = fine_tuning.cut(model, TOP[treatment])
        used = features.extract(lower, used, cache=False)
        optimizer = keras.optimizers.Adam(rate)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        upper.compile(optimizer, loss)  # once for all numbers of shots: tracing takes longer than training
        optimizer.build(upper.trainable_variables)
        fresh, start = [np.array(v) for v in optimizer.variables], model.get_weights()
    rows = []
    for k in shots:
        chosen = first(k, max(shots))
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
                fine_tuning.refresh_statistics(upper, used[chosen], batch_size=BATCH)
            guessed = np.argmax(upper.predict(used[len(most) :], verbose=0), axis=1)
        else:
            guessed = probe.predict(pooled[len(most) :])
        rows.append({"k": k, "accuracy": 100 * balanced_accuracy_score(y_test, guessed)})
    return rows
