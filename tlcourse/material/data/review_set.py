"""The rated sentences, as negative or positive ones; how they were put together stands in `ratings`."""

from __future__ import annotations

import io

import numpy as np

from tlcourse.material import assets
from tlcourse.material.data.ratings import DOMAINS as REVIEW_DOMAINS
from tlcourse.material.data.split import Split, by_group, divide, one_of


def reviews(domain: str = "film", *, threshold: float = 0.75, test_fraction: float = 0.25, seed: int = 0) -> Split:
    """Load sentences that people rated from −4 to 4 (Hutto & Gilbert 2014), as negative (0) or positive (1).

    Of a sentence that occurs twice the first is kept. Sentences of one product review or one editorial all fall on
    one side of the split; for films and tweets the source does not say which sentences belong together.

    Args:
        domain: one of `REVIEW_DOMAINS`.
        threshold: sentences with a mean rating of at most this, either way, are left out as undecided.
        test_fraction: share to test on.
        seed: chooses the split and the order.

    Returns:
        A `Split` with x ``(n,)`` of str objects.

    Raises:
        AssetError: the texts have not been fetched, or are damaged.
        ValueError: an argument is out of its range.
    """
    import pandas as pd

    one_of("domain", domain, REVIEW_DOMAINS)
    if not 0 <= threshold < 4:
        raise ValueError(f"threshold must be at least 0 and below 4, got {threshold!r}.")
    # Read once, after the check, so that a sentence such as "null" stays a sentence.
    raw = assets.path("reviews").read_bytes()
    table = pd.read_csv(io.BytesIO(raw), keep_default_na=False, dtype={"document": "int64", "rating": "float64"})
    table = table[table["domain"] == domain].drop_duplicates("text")
    table = table[table["rating"].abs() > threshold]
    if table["rating"].gt(0).nunique() < 2:
        raise ValueError(f"threshold {threshold!r} leaves one class only in {domain!r}; choose a smaller one.")
    rng = np.random.default_rng(seed)
    test = by_group(table["document"].to_numpy(), test_fraction, rng)
    x = np.array([*table["text"].to_list(), None], dtype=object)[:-1]
    y = table["rating"].gt(0).to_numpy().astype(np.int64)
    return divide(x, y, test, ("negative", "positive"), rng)
