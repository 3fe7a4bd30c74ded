"""Chapter 07: ten students that learnt from labels teach an eleventh, of their own size: what of their gain is left?

Hinton et al. (2015), table 1, on handwritten digits. The ten differ in their random start alone; the teacher's logits
are the mean of theirs. The eleventh learns its answers on the same labelled digits, or on others that nobody labelled;
there the control learns the answers of one of the ten.
"""

from tlcourse.experiments.distillation import RATE, STEPS, TRANSFER, WIDTH

MEMBERS, LABELLED = 10, 400
TEMPERATURES = (1, 2, 4)
CONFIGS = [{"members": MEMBERS, "labelled": LABELLED}]
MINIATURE = {"config": {"members": 2, "labelled": 32}, "TEMPERATURES": (1,), "TRANSFER": 40, "STEPS": 2}


def trial(config: dict) -> list[dict]:
    """Balanced accuracy in percent of one member (the mean of all), of all together, and of each that they taught."""
    import keras
    import numpy as np

    from tlcourse.material import backbones, data
    from tlcourse.methods import distillation, training

    digits = data.digits("mnist")
    x, x_test = (part[..., None].astype("float32") for part in (digits.x_train, digits.x_test))
    order = np.random.default_rng(config["seed"]).permutation(len(x))
    labelled, others, validation = np.split(order, [config["labelled"], config["labelled"] + TRANSFER])
    validation = validation[:500]

    def taught(rows, targets, *, temperature, number):
        seed = 100 * config["seed"] + number
        keras.utils.set_random_seed(seed)
        model = backbones.small_cnn(classes=10, input_size=28, channels=1, width=WIDTH)
        return distillation.fit(model, x[rows], targets, temperature=temperature, steps=STEPS, learning_rate=RATE,
                                seed=seed)  # fmt: skip

    def answers(model):
        return {name: model.predict(part, batch_size=250, verbose=0) for name, part in (("all", x), ("test", x_test))}

    def row(who, temperature, several):
        tested = [training.accuracy(digits.y_test, said["test"]) for said in several]
        validated = [training.accuracy(digits.y_train[validation], said["all"][validation]) for said in several]
        return {"who": who, "temperature": temperature, "accuracy": np.mean(tested), "validation": np.mean(validated)}

    hard = np.eye(10)[digits.y_train[labelled]]
    members = [answers(taught(labelled, hard, temperature=1, number=i)) for i in range(config["members"])]
    together = {part: np.mean([member[part] for member in members], axis=0) for part in ("all", "test")}
    rows = [row("one member", 1, members), row("all together", 1, [together])]
    arms = {
        "taught by all, same digits": (together, labelled),
        "taught by all, other digits": (together, others),
        "taught by one, other digits": (members[0], others),
    }
    for who, (teacher, transfer) in arms.items():
        for temperature in TEMPERATURES:
            soft = distillation.soften(teacher["all"][transfer], temperature)
            model = taught(transfer, soft, temperature=temperature, number=config["members"])
            rows.append(row(who, temperature, [answers(model)]))
    return rows
