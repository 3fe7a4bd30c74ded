"""Chapter 02: do better ImageNet models transfer better? EfficientNet-Lite0, 1 and 2 on the photographs.

The weights of Lite1 and Lite2 are not part of the course; `data/build/efficientnet_lite.py` converts them.
"""

CONFIGS = [{"network": network} for network in ("lite0", "lite1", "lite2")]
TEST_FRACTION = 0.25
MINIATURE = {"config": {"network": "lite0"}, "TEST_FRACTION": 0.5}


def trial(config: dict) -> list[dict]:
    """Balanced test accuracy in percent of a linear SVM on features at the network's own resolution."""
    import numpy as np
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer
    from sklearn.svm import SVC

    from tlcourse.material import data, features

    photos = data.stickers("photo", test_fraction=0)
    x, y = np.asarray(features.extract(_network(config["network"]), photos.x_train)), photos.y_train
    rows = train_test_split(np.arange(len(y)), test_size=TEST_FRACTION, stratify=y, random_state=config["seed"])
    svm = make_pipeline(Normalizer(), SVC(kernel="linear", C=10)).fit(x[rows[0]], y[rows[0]])
    return [{"accuracy": 100 * balanced_accuracy_score(y[rows[1]], svm.predict(x[rows[1]]))}]


def _network(name: str):
    import keras

    from tlcourse.material import assets, backbones
    from tlcourse.material.backbones import efficientnet

    if name == "lite0":
        return backbones.efficientnet_lite0()
    path = assets.CACHE / "weights" / f"efficientnet_{name}.weights.h5"
    if not path.exists():
        raise assets.AssetError(
            f"{path} is missing: python data/build/efficientnet_lite.py --variant {name} --out {path} (needs torch)."
        )
    network = efficientnet.build(name)
    network.load_weights(path)
    return keras.Model(network.input, network.get_layer("pool").output)
