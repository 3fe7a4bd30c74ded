"""Chapter 13: which weight of confusion, soft labels and the target's labels does best, on digits and on stickers.

On draws that nothing else is judged on. What did best on the one kind of pictures may be taken for the other.
"""

from tlcourse.experiments import soft_labels

CONFIGS = [{"kind": "digits"}, {"kind": "stickers"}]
WEIGHTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)  # of confusion; those of soft labels are these times T²
MORE = (0.5, 1.0, 2.0, 4.0, 8.0)  # of the target's labels, once more, as a mean of their own
LABELS, FIRST = 3, 900
MINIATURE = {
    "config": {"kind": "stickers"},
    "WEIGHTS": (1.0,),
    "MORE": (1.0,),
    "soft_labels.WIDTH": 4,
    "soft_labels.STEPS": 2,
}


def trial(config):
    """Balanced accuracy in percent with three target labels a class, by term and weight; mean over a source's targets.

    The weight 0 is joint training.
    """
    import numpy as np

    from tlcourse.methods import confusion

    seed, rows = FIRST + config["seed"], []
    parts = soft_labels.read(config["kind"], seed)
    classes = range(len(np.unique(next(iter(parts.values()))[1])))
    net = confusion.Network(soft_labels.WIDTH, len(classes), steps=soft_labels.STEPS, seed=seed)
    for source in parts:
        reached = []
        for target in [name for name in parts if name != source]:
            task = soft_labels.pair(parts[source], parts[target])
            hidden, y = task.ask_for([], 0, seed), task.ask_for(classes, LABELS, seed)
            teacher = net.fit(task.x, hidden, task.domain).logits(task.x[task.domain == 0])
            soft = confusion.soft_labels(teacher, task.y_source, soft_labels.T)
            softly = {"soft": soft, "temperature": soft_labels.T}
            arms = [("joint", 0.0, {})]
            arms += [("confusion", weight, {"confusion": weight}) for weight in WEIGHTS]
            arms += [("soft", weight, softly | {"weight": weight * soft_labels.T**2}) for weight in WEIGHTS]
            arms += [("labels", weight, {"weight": weight}) for weight in MORE]
            nets = (net.fit(task.x, y, task.domain, **arm) for *_, arm in arms)
            reached.append([soft_labels.right(task.y_test, net.logits(task.x_test), classes) for net in nets])
        means = np.mean(reached, axis=0)
        rows += [
            {"source": source, "term": term, "weight": weight, "accuracy": float(mean)}
            for (term, weight, _), mean in zip(arms, means, strict=True)
        ]
    return rows
