"""Chapters 04 and 05: accuracy against training pictures a class, for probes, fine-tuning and training from scratch.

"things", the stickers of all five domains in eight classes, is near what the network learnt from; "letters", all 26 in
black on white, is far from it; "photographs" are the true photographs among the stickers. Each run draws training and
test pictures anew. What the emoji sets draw under one name is on one side in all of them, and so is a family of fonts.

Feature extraction and fine-tuning know equally much: either what did best on two other draws with all their labels,
with six pictures a class and with 48 (`KNOWN`), or what two-fold cross-validation finds in the few pictures themselves.

Recorded are four draws of everything, and more of what claims rest on: 16 of photographs, and 12 of things and 8 of
letters for the probe, the last block and the whole network.
"""

SHOTS = {"things": (2, 6, 16, 48), "letters": (2, 6, 16, 48), "photographs": (6,)}  # pictures a class
SEARCHED = (2, 6, 48)  # where fine-tuning is cross-validated: each number takes nine runs
SCRATCH_SHOTS = (6, 48)  # it takes longest
SIZE = {"things": 96, "letters": 64, "photographs": 96}
BATCH = {"things": 16, "letters": 13, "photographs": 16}  # batches are whole with every number of pictures
TREATMENTS = ("probe", "last block", "known block", "block by cross-validation", "full-network embedding", "top half",
              "whole network", "fine-tuning by cross-validation", "scratch")  # fmt: skip
CONFIGS = [{"target": target, "treatment": each} for target in ("things", "letters") for each in TREATMENTS] + [
    {"target": "photographs", "treatment": each} for each in ("probe", "whole network")
]
HALF, WHOLE = 5, 10  # blocks that train: from block5 upwards, or all ten
FEW = 6  # up to so many pictures a class the first of two known settings counts, and beyond the second
KNOWN = {  # block, scaling and C of a linear SVM; blocks that train, and the rate
    "known block": {"things": (("block6d", "length", 10),) * 2, "letters": (("block5b", "spread", 0.1),) * 2},
    "last block": dict.fromkeys(("things", "letters"), (("top", "length", 10),) * 2),
    "top half": dict.fromkeys(("things", "letters"), ((HALF, 3e-4), (HALF, 1e-4))),
    "whole network": {"things": ((WHOLE, 3e-4), (WHOLE, 3e-5)), "letters": ((WHOLE, 3e-4), (WHOLE, 1e-4)),
                      "photographs": ((WHOLE, 1e-4),) * 2},
}  # fmt: skip
SCALED = (("length", 10), ("spread", 0.1))  # what cross-validation chooses from, with each block,
RATES = {"things": (3e-5, 3e-4), "letters": (1e-4, 3e-4), "photographs": (1e-4,)}  # or with each depth
FOLDS = 2  # as many as the fewest pictures a class
SCRATCH_RATE = 1e-3
STEPS, EPOCHS = 120, 5  # of fine-tuning, whichever is more; from scratch twice as many
MINIATURE = {"config": {"target": "things", "treatment": "top half"}, "STEPS": 1, "EPOCHS": 1, "SEARCHED": (2,),
             "SHOTS": dict.fromkeys(SHOTS, (2,)), "SCRATCH_SHOTS": (2,), "RATES": dict.fromkeys(SHOTS, (1e-4,)),
             "KNOWN": KNOWN | {"known block": dict.fromkeys(SHOTS, (("block6a", "length", 10),) * 2)}}  # fmt: skip


def things(seed: int):
    """Training and test pictures of the stickers, all domains together: `(x_train, y_train, x_test, y_test)`."""
    import numpy as np

    from tlcourse.material import data

    size = SIZE["things"]
    parts = [data.stickers(domain, size=size, test_fraction=0.3, seed=seed) for domain in data.STICKER_DOMAINS]
    return tuple(np.concatenate([getattr(p, n) for p in parts]) for n in ("x_train", "y_train", "x_test", "y_test"))


def photographs(seed: int):
    """Likewise of the photographs alone, half of them to test on."""
    from tlcourse.material import data

    part = data.stickers("photo", size=SIZE["photographs"], test_fraction=0.5, seed=seed)
    return part.x_train, part.y_train, part.x_test, part.y_test


def letters(seed: int):
    """Likewise 26 letters, black on white, in 100 fonts to train on and 100 of other families to test on."""
    import numpy as np
    from PIL import Image

    from tlcourse.material import data

    glyphs = data.glyphs("abcdefghijklmnopqrstuvwxyz")
    size = (SIZE["letters"], SIZE["letters"])

    def part(fonts):
        flat = 255 - glyphs.images[fonts].reshape(-1, 28, 28)
        x = np.stack([np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BICUBIC)) for i in flat])
        return np.repeat(x[..., None], 3, axis=3), np.tile(np.arange(26), len(fonts))

    to_train, to_test = data.parts_by_group(glyphs.families, (100, 100), seed=seed)
    return *part(to_train), *part(to_test)


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent for each number of training pictures a class, and the setting it was had by."""
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score

    target, treatment, seed = config["target"], config["treatment"], config["seed"]
    x, y, x_test, y_test = {"things": things, "letters": letters, "photographs": photographs}[target](seed)
    most, classes = max(SHOTS[target]), int(y.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.permutation(np.flatnonzero(y == label))[:most] for label in range(classes)])
    used, labels = np.concatenate([x[drawn], x_test]).astype("float32"), y[drawn]
    settings, answers = learner(treatment, used, labels, target=target, seed=seed)
    shots = {"scratch": SCRATCH_SHOTS, "fine-tuning by cross-validation": SEARCHED}.get(treatment, SHOTS[target])
    rows = []
    for k in (k for k in shots if k in SHOTS[target]):
        chosen = np.add.outer(most * np.arange(classes), np.arange(k)).ravel()  # the first k of each class
        setting = settings[0]
        if treatment in KNOWN:
            setting = KNOWN[treatment][target][k > FEW]
        elif len(settings) > 1:
            scores = {each: validated(answers, each, chosen, labels) for each in settings}
            setting = max(scores, key=scores.get)
        guessed = answers(setting, chosen, np.arange(len(drawn), len(used)))
        accuracy = 100 * balanced_accuracy_score(y_test, guessed)
        rows.append({"k": k, "accuracy": accuracy, "setting": " ".join(map(str, setting))})
    return rows


def validated(answers, setting: tuple, chosen, labels) -> float:
    """Share of right answers, in each half of the chosen pictures after learning from the other half."""
    import numpy as np
    from sklearn.model_selection import StratifiedKFold

    halves = StratifiedKFold(FOLDS).split(chosen, labels[chosen])
    return float(np.mean([answers(setting, chosen[a], chosen[b]) == labels[chosen[b]] for a, b in halves]))


def learner(treatment: str, x, labels, *, target: str, seed: int) -> tuple[list[tuple], object]:
    """The settings to choose from if none is known, and `answers(setting, chosen, asked)`: what it says of some rows.

    `x` is `(n, size, size, 3)` float32 in [0, 255]; `labels` are those of its first rows, the rest is test pictures.
    """
    if treatment in ("top half", "whole network", "fine-tuning by cross-validation"):
        settings = [(top, rate) for top in (HALF, WHOLE) for rate in RATES[target]]
        return settings, by_training(x, labels, target=target, seed=seed)
    if treatment == "scratch":
        return [(WHOLE, SCRATCH_RATE)], by_training(x, labels, target=target, seed=seed, scratch=True)
    blocks, answers = by_reading(x, labels)
    if treatment == "block by cross-validation":
        return [(block, *scaled) for block in blocks for scaled in SCALED], answers
    return [(treatment,)], answers


def by_reading(x, labels):
    """The network's blocks, and `answers` by a linear SVM on one's pooled output, on all of them, or by a probe."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler
    from sklearn.svm import SVC

    from tlcourse.material import backbones, features
    from tlcourse.methods import layer_features

    reader, names = layer_features.block_reader(backbones.efficientnet_lite0(input_size=x.shape[1]))
    rows = features.extract(reader, x, cache=False)[:, 0]
    scalers = {"length": Normalizer, "spread": StandardScaler}

    def answers(setting, chosen, asked):
        block, *scaled = setting
        if block == "full-network embedding":
            learnt, read = layer_features.full_network_embedding(rows[chosen], rows[asked])
            return SVC(kernel="linear").fit(learnt, labels[chosen]).predict(read)
        if block == "probe":
            last = rows[:, names == names[-1]]
            return LogisticRegression(C=0.1, max_iter=1000).fit(last[chosen], labels[chosen]).predict(last[asked])
        scaling, strength = scaled
        svm = make_pipeline(scalers[scaling](), SVC(kernel="linear", C=strength))
        read = rows[:, names == block]
        return svm.fit(read[chosen], labels[chosen]).predict(read[asked])

    return list(dict.fromkeys(names)), answers


def by_training(x, labels, *, target: str, seed: int, scratch: bool = False):
    """`answers` by a network that is trained from the same start each time; what does not train runs once."""
    import functools

    import keras
    import numpy as np

    from tlcourse.material import backbones, features
    from tlcourse.methods import fine_tuning, freezing

    classes, batch, more = int(labels.max()) + 1, BATCH[target], 2 if scratch else 1
    if not scratch:
        pooled = features.extract(backbones.efficientnet_lite0(input_size=x.shape[1]), x, cache=False)

    @functools.cache
    def prepared(top):
        keras.utils.set_random_seed(seed)
        weights = None if scratch else "imagenet"
        model = backbones.efficientnet_lite0(classes=classes, input_size=x.shape[1], weights=weights)
        freezing.thaw(model, top, batch_norm=scratch)
        lower, upper = fine_tuning.cut(model, top)
        upper.compile(keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        upper.optimizer.build(upper.trainable_variables)
        fresh = [np.array(v) for v in upper.optimizer.variables]
        return model, upper, features.extract(lower, x, cache=False), model.get_weights(), fresh

    def answers(setting, chosen, asked):
        top, rate = setting
        model, upper, used, start, fresh = prepared(top)
        keras.utils.set_random_seed(seed)
        model.set_weights(start)
        for variable, value in zip(upper.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        upper.optimizer.learning_rate = rate
        if not scratch:
            fine_tuning.put_probe(model, pooled[chosen], labels[chosen])
        an_epoch = -(-len(chosen) // batch)
        epochs = max(more * EPOCHS, round(more * STEPS / an_epoch))
        upper.fit(used[chosen], labels[chosen], batch_size=batch, epochs=epochs, verbose=0)
        if scratch:
            fine_tuning.refresh_statistics(upper, used[chosen], batch_size=batch)
        return np.argmax(upper.predict(used[asked], verbose=0), axis=1)

    return answers
