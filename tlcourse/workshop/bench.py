"""Measures how fast the course is, as ratios within one run, since seconds differ from one machine to the next.

* extraction: pictures a second, and which share of this machine's own matmul limit that is;
* race: a probe on cached features against the frozen-base loop of the Keras guide, to equal accuracy.

The latency of the controls is measured where they are moved anyway: `make notebooks` prints it at its end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

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
        and `share_of_limit`, all of one run.
    """
    import numpy as np

    from tlcourse.material import backbones, features

    model = backbones.efficientnet_lite0()
    size = model.input_shape[1]
    x = np.random.default_rng(0).integers(0, 256, (pictures, size, size, 3), dtype=np.uint8)
    features.extract(model, x[:16], cache=False)
    limit, best = matmul_limit(), 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        features.extract(model, x, cache=False)
        best = max(best, pictures / (time.perf_counter() - start))
        limit = max(limit, matmul_limit(seconds=1.0))
    cost = flops(model)
    return {
        "pictures_per_second": best,
        "gflops_per_picture": cost / 1e9,
        "gflops_per_second": best * cost / 1e9,
        "matmul_gflops_per_second": limit / 1e9,
        "share_of_limit": best * cost / limit,
    }


def measure() -> dict[str, Any]:
    """Run both benchmarks."""
    return {"extraction": extraction(), "race": race.race()}


def report(results: dict[str, Any], *, as_json: bool = False, say: Callable[[Any], None] | None = None) -> None:
    """Print the results as tables, or as JSON."""
    if as_json:
        print(json.dumps(results, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    say = say or Console().print
    titles = {
        "extraction": "Feature extraction against the matmul limit, in one run",
        "race": "Probe on features extracted once, against the Keras guide's loop, to equal accuracy",
    }
    for part, title in titles.items():
        table = Table(title=title)
        table.add_column("what")
        table.add_column("value", justify="right")
        for name, value in results[part].items():
            table.add_row(name.replace("_", " "), f"{value:.0%}" if name.startswith("share") else f"{value:.2f}")
        say(table)
