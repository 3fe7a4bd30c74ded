"""Where on a figure a guess would stand: a page without a kernel draws it there."""


def note(ax, asked, low: tuple, high: tuple) -> None:
    """Remember on an `Axes` where a guess at either end of the scale of a `Prediction` would stand.

    Args:
        ax: the `Axes`.
        asked: the `Prediction`.
        low: `(x, y)` in the data, of the smallest guess.
        high: the same of the largest.
    """
    ax.guessed = [*getattr(ax, "guessed", ()), (asked.question, low, high)]


def on_picture(figure) -> list[dict]:
    """The places that were noted on a figure, once it is saved with the course's style.

    Returns:
        For each the question, `ask`, and `low` and `high` as shares of the picture's width and height, counted from its
        upper left; a share outside [0, 1] lies off the picture. Where the guess's axis is not linear, no straight line
        joins the two, and the place is left out.
    """
    import matplotlib as mpl

    noted = [(ax, *place) for ax in figure.axes for place in getattr(ax, "guessed", ())]
    if not noted:
        return []
    box = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])  # what was saved, in inches

    def share(ax, point: tuple) -> tuple[float, float]:
        x, y = ax.transData.transform((ax.convert_xunits(point[0]), ax.convert_yunits(point[1]))) / figure.dpi
        return round(float((x - box.x0) / box.width), 3), round(float((box.y1 - y) / box.height), 3)

    return [
        {"ask": question, "low": share(ax, low), "high": share(ax, high)}
        for ax, question, low, high in noted
        if (ax.get_yscale() if low[0] == high[0] else ax.get_xscale()) == "linear"
    ]
