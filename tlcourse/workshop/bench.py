"""Measures how fast the course is, as ratios within one run, since seconds differ from one machine to the next.

* extraction: pictures a second, which share of this machine's own matmul limit that is, and LiteRT on the same weights;
* memory: what a hundred thousand pictures take that a thousand do not;
* race: a probe on cached features against the frozen-base loop of the Keras guide, to equal accuracy;
* start: importing what a chapter imports and running its set-up cell, against importing TensorFlow alone.

The latency of the controls is measured where they are moved anyway: `make notebooks` prints it at its end. What all
chapters take, one after another, `make run` prints.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from tlcourse.experiments import race
from tlcourse.methods.cost import flops


def matmul_limit(*, size: int = 1536, seconds: float = 2.0) -> float:
    """Return the best rate of a square float32 matrix product in TensorFlow, in FLOP/s (2 n³ a product).

    Args:
        size: n.
        seconds: how long to try for; the best of all tries counts, for a limit is what nothing disturbed.
    """
    import tensorflow as tf

    a = tf.random.stateless_normal((size, size), seed=(0, 1))
    product = tf.function(lambda x: tf.linalg.matmul(x, a))
    product(a)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        product(a).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def extraction(*, pictures: int = 256, repeats: int = 3) -> dict[str, float]:
    """Time `features.extract` with EfficientNet-Lite0 on pictures of noise at its own size, the cache left out.

    Returns:
        `pictures_per_second` (best of `repeats`), `gflops_per_picture`, `gflops_per_second`, `matmul_gflops_per_second`
        and `share_of_limit`, all of one run; `litert_over_extraction`, `litert_differs`, the largest difference of a
        feature, and `litert_pays_from_pictures`, how many it takes until its speed has paid for converting the network.
    """
    import numpy as np

    from tlcourse.material import backbones, features

    model = backbones.efficientnet_lite0()
    size = model.input_shape[1]
    x = np.random.default_rng(0).integers(0, 256, (pictures, size, size, 3), dtype=np.uint8)
    features.extract(model, x[:16], cache=False)
    limit, best, best_lite = matmul_limit(), 0.0, 0.0
    start = time.perf_counter()
    run_lite = litert(model)
    converting = time.perf_counter() - start
    differs = np.abs(run_lite(x[:16]) - features.extract(model, x[:16], cache=False)).max()
    for _ in range(repeats):
        start = time.perf_counter()
        features.extract(model, x, cache=False)
        best = max(best, pictures / (time.perf_counter() - start))
        start = time.perf_counter()
        run_lite(x)
        best_lite = max(best_lite, pictures / (time.perf_counter() - start))
        limit = max(limit, matmul_limit(seconds=1.0))
    cost, saved = flops(model), 1 / best - 1 / best_lite
    return {
        "pictures_per_second": best,
        "gflops_per_picture": cost / 1e9,
        "gflops_per_second": best * cost / 1e9,
        "matmul_gflops_per_second": limit / 1e9,
        "share_of_limit": best * cost / limit,
        "litert_over_extraction": best_lite / best,
        "litert_differs": float(differs),
        "litert_pays_from_pictures": converting / saved if saved > 0 else float("inf"),
    }


def litert(model) -> Callable[[Any], Any]:
    """The network as LiteRT runs it with XNNPACK, two threads and a picture at a time, its fastest way here.

    Returns:
        A function from `(n, height, width, 3)` uint8 pictures to `(n, …)` float32, equal to the network's but for
        rounding.
    """
    import numpy as np
    import tensorflow as tf

    with contextlib.redirect_stdout(io.StringIO()):  # it lists every weight
        converted = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    with warnings.catch_warnings():  # TensorFlow's own copy is to go; what it measures is the same
        warnings.filterwarnings("ignore", message="\\s*Warning: tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=converted, num_threads=2)
    interpreter.allocate_tensors()
    into, out = (side[0]["index"] for side in (interpreter.get_input_details(), interpreter.get_output_details()))

    def run(x):
        rows = []
        for picture in x:
            interpreter.set_tensor(into, picture[None].astype("float32"))
            interpreter.invoke()
            rows.append(interpreter.get_tensor(out)[0].copy())
        return np.array(rows)

    return run


class Stream:
    """Pictures of noise that are made when they are asked for, as an array that lies in no memory."""

    def __init__(self, count: int, size: int):
        self.shape = (count, size, size, 3)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which):
        """One picture, or a slice of them: uint8."""
        import numpy as np

        wanted = np.arange(len(self))[which]
        one = np.random.default_rng(int(np.min(wanted))).integers(0, 256, self.shape[1:], dtype=np.uint8)
        return one if np.ndim(wanted) == 0 else np.broadcast_to(one, (len(wanted), *self.shape[1:]))


def memory(*, few: int = 1_000, many: int = 100_000, size: int = 32) -> dict[str, float]:
    """How much more of this process's own memory extraction takes at its peak for many pictures than for few.

    Returns:
        `few_pictures_mb` and `many_pictures_mb`, over what the process had before, in MB; `many_over_few`.
    """
    import psutil

    from tlcourse.material import assets, backbones, features

    model, process = backbones.efficientnet_lite0(input_size=size), psutil.Process()
    features.extract(model, Stream(few, size), cache=False)  # what is traced and loaded once is there now
    peaks = []
    for count in (few, many):
        before, peak, done = process.memory_full_info().uss, [0], threading.Event()

        def watch(peak=peak, done=done):
            while not done.wait(0.02):
                peak[0] = max(peak[0], process.memory_full_info().uss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(assets, "CACHE", Path(folder)):
            features.extract(model, Stream(count, size))
        done.set()
        watcher.join()
        peaks.append(max(1.0, (peak[0] - before) / 1e6))
    return {"few_pictures_mb": peaks[0], "many_pictures_mb": peaks[1], "many_over_few": peaks[1] / peaks[0]}


def start(*, repeats: int = 3) -> dict[str, float]:
    """How long a kernel takes to a chapter's first result, and how long TensorFlow alone; the best of some tries.

    Returns:
        `set_up_seconds` and `tensorflow_seconds`, each in a process of its own, and `set_up_over_tensorflow`.
    """
    codes = {
        "set_up": "from tlcourse.classroom import checks, plots, scoreboard, session, widgets; session.begin(seed=0)",
        "tensorflow": "import tensorflow",
    }
    best = dict.fromkeys(codes, float("inf"))
    for _ in range(repeats):
        for name, code in codes.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - begun)
    return {
        **{f"{name}_seconds": seconds for name, seconds in best.items()},
        "set_up_over_tensorflow": best["set_up"] / best["tensorflow"],
    }


def measure() -> dict[str, Any]:
    """Run all of them."""
    return {"extraction": extraction(), "memory": memory(), "race": race.race(), "start": start()}


def report(results: dict[str, Any], *, as_json: bool = False, say: Callable[[Any], None] | None = None) -> None:
    """Print the results as tables, or as JSON."""
    if as_json:
        print(json.dumps(results, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    say = say or Console().print
    titles = {
        "extraction": "Feature extraction against the matmul limit and LiteRT, in one run",
        "memory": "Memory of its own that extraction takes",
        "race": "Probe on features extracted once, against the Keras guide's loop, to equal accuracy",
        "start": "A chapter's imports and set-up cell, against TensorFlow's import",
    }
    for part, values in results.items():
        table = Table(title=titles[part])
        table.add_column("what")
        table.add_column("value", justify="right")
        for name, value in values.items():
            table.add_row(name.replace("_", " "), _said(name, value))
        say(table)


def _said(name: str, value: float) -> str:
    if name.startswith("share"):
        return f"{value:.0%}"
    return f"{value:,.2f}" if value >= 0.01 else f"{value:.0e}"
