"""Draws the README's picture from the recorded runs of chapter 00.

    python data/build/readme_figure.py

Writes `data/recorded/first_start.png`.
"""

from PIL import Image

from tlcourse.classroom import plots
from tlcourse.material import assets, data
from tlcourse.methods import statistics


def main() -> None:
    """Draw and save."""
    plots.use_style()
    by_split = data.recorded("first_start").groupby(["start", "seed", "epoch"], as_index=False).accuracy.mean()
    curves = statistics.summary(by_split, ["start", "epoch"], "accuracy")
    ax = plots.bands(plots.axes(), curves, "epoch", "start")
    ax.axhline(100 / 8, **plots.GUESS, label="chance")
    ax.set(xlabel="epochs of training on photographs", ylabel="test accuracy, %", ylim=(0, 75))
    ax.legend(loc="lower right", title="a small network that starts with")
    path = assets.DATA / "recorded" / "first_start.png"
    ax.figure.savefig(path, metadata={"Software": None})
    few = Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    few.save(path, optimize=True)  # a quarter of its weight: it is on the site's first page


if __name__ == "__main__":
    main()
