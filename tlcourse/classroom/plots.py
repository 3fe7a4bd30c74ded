"""Figures in one style: they take an `Axes` and return it; `show` puts them on the page with caption and alt text.

Colours are those of Okabe and Ito (2008), distinguishable with every common kind of colour blindness, and each comes
with a marker of its own, so that no figure needs colour to be read.
"""

import base64
import html
import io
import json
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from tlcourse.classroom import guess_places
from tlcourse.classroom.lettering import as_written, families

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GUESS = {"color": "black", "linestyle": (0, (4, 3)), "linewidth": 1.5}


def use_style() -> None:
    """Set matplotlib's defaults for the course: call it once, in the set-up cell.

    Letters grow with `font.size` of the matplotlibrc, for a screen that is looked at from afar.
    """
    import matplotlib as mpl

    size = 10.5 * mpl.rcParamsOrig["font.size"] / mpl.rcParamsDefault["font.size"]
    mpl.rcParams.update({
        "figure.figsize": (7, 3.6), "figure.dpi": 110, "savefig.bbox": "tight", "font.size": size,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
        "axes.axisbelow": True, "axes.prop_cycle": mpl.cycler(color=COLOURS, marker=MARKERS), "lines.markersize": 5,
        "legend.edgecolor": "none", "legend.facecolor": "white", "legend.framealpha": 0.9,
        "image.interpolation": "nearest", "axes.titlesize": size, "axes.titleweight": "bold",
        "font.family": families(),
    })  # fmt: skip


def as_html(figure, *, caption: str, alt: str) -> str:
    """A figure as one self-contained `<figure>` element, and close it.

    Args:
        figure: a matplotlib `Figure`.
        caption: one sentence that says what to see, shown below it.
        alt: what somebody who cannot see it needs to know.

    Raises:
        ValueError: caption or alt text is empty.
    """
    import matplotlib.pyplot as plt

    if not (caption.strip() and alt.strip()):
        raise ValueError("Expected a caption and an alt text, got an empty one: say in a sentence what is to be seen.")
    buffer, guessed = io.BytesIO(), ""
    with warnings.catch_warnings():  # on a busy machine matplotlib remarks that looking for a legend's place takes long
        warnings.filterwarnings("ignore", message="Creating legend with loc")
        figure.savefig(buffer, format="png")
    if places := guess_places.on_picture(figure):
        guessed = f' data-guesses="{html.escape(json.dumps(places), quote=True)}"'
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<figure style="margin:0"{guessed}>'
        f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}">'
        f'<figcaption style="max-width:44em;color:#555"><em>{html.escape(caption)}</em></figcaption></figure>'
    )


def show(figure, *, caption: str, alt: str) -> None:
    """Display a figure with its caption and alt text, and close it. See `as_html`."""
    from IPython.display import HTML, display

    display(HTML(as_html(getattr(figure, "figure", figure), caption=caption, alt=alt)))


def axes(rows: int = 1, columns: int = 1, *, size: tuple[float, float] | None = None, **options):
    """New axes, without a trace left in pyplot's list of open figures once they are shown; `(rows, columns)` of them.

    Returns:
        One `Axes`, or an array of them.
    """
    import matplotlib.pyplot as plt

    _, result = plt.subplots(rows, columns, figsize=size, layout="constrained", **options)
    return result


def panels(
    tables: Mapping[str, pd.DataFrame],
    draw: Callable,
    *,
    columns: int | None = None,
    size: tuple[float, float] | None = None,
    **options,
):
    """Small multiples: one table a panel, drawn alike on equal axes.

    Args:
        tables: by the panel's title.
        draw: called with the panel's `Axes` and its table.
        columns: panels in a row; all of them if None.
        size: of the whole figure in inches.
        options: set on every panel, such as `xlim` or `ylabel`; the outer panels alone name the axes.

    Returns:
        The array of `Axes`, one a panel.

    Raises:
        ValueError: there are no tables.
    """
    if not tables:
        raise ValueError("Expected at least one table, got none: name each panel and what it shows.")
    columns = columns or len(tables)
    grid = axes(-(-len(tables) // columns), columns, size=size, squeeze=False, sharex=True, sharey=True)
    used = grid.flat[: len(tables)]
    for ax, (title, table) in zip(used, tables.items(), strict=True):
        draw(ax, table)
        ax.set(title=as_written(title), **options)
        ax.label_outer()
    for ax in grid.flat[len(tables) :]:
        ax.remove()
    return used


def intervals(
    ax, table: pd.DataFrame, label: str, *, by: str | None = None, guess: dict | None = None, unit: str = "%"
):
    """Means with their intervals, one row each, from top to bottom.

    Args:
        ax: where to draw.
        table: columns `label`, `mean`, `low`, `high`, as `statistics.summary` makes them.
        label: the column that names the rows.
        by: a column: rows alike in it have one colour and marker. Each row has its own if None.
        guess: the `Prediction` of some rows, by their names; what was guessed is drawn as a diamond beside the truth.
        unit: for the axis.
    """
    places = np.arange(len(table))[::-1]
    errors = np.abs(table[["low", "high"]].to_numpy().T - table["mean"].to_numpy())
    kinds = pd.factorize(table[by])[0] if by else np.arange(len(table))
    for i, (place, kind) in enumerate(zip(places, kinds, strict=True)):
        style = {"color": COLOURS[kind % 8], "marker": MARKERS[kind % 8]}
        style |= {"markersize": 7, "capsize": 4, "elinewidth": 2}
        ax.errorbar(table["mean"].iloc[i], place, xerr=errors[:, i : i + 1], **style)
    names = list(table[label])
    for name, asked in (guess or {}).items():
        beside = places[names.index(name)] + 0.28
        guess_places.note(ax, asked, (asked.low, beside), (asked.high, beside))
        if asked.value is not None:
            ax.plot(asked.value, beside, "d", color="black", mfc="white", ms=8)
            ax.annotate("your guess", (asked.value, beside), (7, -3), textcoords="offset points")
    ax.set(yticks=places, yticklabels=[as_written(name) for name in names], xlabel=unit, ylim=(-0.6, len(table) - 0.4))
    return ax


def bands(ax, table: pd.DataFrame, x: str, by: str, *, guess: dict | None = None):
    """Curves of means, each with its interval as a band.

    Args:
        ax: where to draw.
        table: columns `x`, `by`, `mean`, `low`, `high`, as `statistics.summary` makes them.
        x: the column on the horizontal axis.
        by: the column that names the curves.
        guess: the `Prediction` of the value at some x: {x: prediction}; drawn as a diamond once there is one.
    """
    for i, (name, rows) in enumerate(table.groupby(by, sort=False)):
        ax.plot(rows[x], rows["mean"], color=COLOURS[i % 8], marker=MARKERS[i % 8], label=as_written(name))
        ax.fill_between(rows[x], rows["low"], rows["high"], color=COLOURS[i % 8], alpha=0.18, linewidth=0)
    for place, asked in (guess or {}).items():
        guess_places.note(ax, asked, (place, asked.low), (place, asked.high))
        if asked.value is not None:
            ax.plot(place, asked.value, "d", color="black", mfc="white", ms=9, label="your guess", zorder=5)
    ax.set_xlabel(x)
    names = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))  # several guesses are named once
    ax.legend(names.values(), names.keys())
    return ax


def spoken(table: pd.DataFrame, label: str, unit: str = "percent") -> str:
    """The means of a `statistics.summary` as words, for an alt text: "raw 40 percent, cnn 86 percent"."""
    return ", ".join(f"{name} {mean:.0f} {unit}" for name, mean in zip(table[label], table["mean"], strict=True))


def pictures(
    images: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    rows: Sequence[str] = (),
    columns: int = 8,
    size: float = 1.0,
):
    """A grid of pictures.

    Args:
        images: each `(height, width)` or `(height, width, 3)`, uint8 or values in [0, 255].
        titles: one for each, or None.
        rows: what stands to the left of each row, from above; or nothing.
        columns: pictures in a row.
        size: height of a picture in inches.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: there are no pictures, or not as many titles.
    """
    if len(images) == 0 or (titles is not None and len(titles) != len(images)):
        raise ValueError(f"Expected pictures and as many titles, got {len(images)} and {len(titles or ())}.")
    import matplotlib.pyplot as plt

    above = list(titles) if titles is not None else [""] * len(images)
    lines = [max(len(str(t).splitlines()) for t in above[i : i + columns]) for i in range(0, len(images), columns)]
    bottoms = np.cumsum([size + 0.07 * (n > 0) + 0.14 * n for n in lines])
    figure = plt.figure(figsize=(size * columns, bottoms[-1]))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, size * columns), ylim=(bottoms[-1], 0))  # inches; one axes is quickest
    ax.axis("off")
    small, gap = plt.rcParams["font.size"] * 8 / 10.5, 0.04
    for i, image in enumerate(images):
        middle, bottom, picture = (i % columns + 0.5) * size, bottoms[i // columns], np.asarray(image).astype("uint8")
        height, width = (size - gap) * np.array(picture.shape[:2]) / max(picture.shape[:2])
        ax.imshow(picture, cmap="gray_r", vmin=0, vmax=255, interpolation="antialiased", aspect="auto",
                  extent=(middle - width / 2, middle + width / 2, bottom, bottom - height))  # fmt: skip
        title = as_written(above[i], most=round(24 * max(size, 1)))
        ax.text(middle, bottom - height - 0.03, title, ha="center", va="bottom", fontsize=small)
    for bottom, name in zip(bottoms, rows, strict=False):
        ax.text(-0.1 * size, bottom - size / 2, as_written(name), ha="right", va="center", fontsize=small)
    return figure
