"""The sorting game of chapter 00: six real pairs of source and target; what differs between them?"""

from collections.abc import Sequence

import numpy as np

from tlcourse.classroom import plots
from tlcourse.material import data

OPTIONS = ("the feature space 𝒳", "the spread P(X)", "the label space 𝒴", "the rule P(Y|X)", "nothing")
KINGDOMS = ("animal", "animal", "plant", "plant", "plant", "thing", "thing", "thing")  # of data.STICKER_CLASSES


def questions() -> list[dict]:
    """The six pairs as questions for `widgets.Quiz`; the options are `OPTIONS`."""
    photo, noto = data.stickers("photo", size=96), data.stickers("noto", size=96)
    film, product = data.reviews("film"), data.reviews("product")
    mnist, coloured = data.digits("mnist"), data.digits("mnist_m")
    kinds = [photo.classes[label] for label in photo.y_train[:6]]
    kingdoms = [KINGDOMS[label] for label in photo.y_train[:6]]
    return [
        _question(
            "Photographs, then emoji; the eight classes in both.",
            "the spread P(X)",
            "Pictures of the same size with the same labels; only the pixels are spread differently: domain shift.",
            _rows(photo.x_train, noto.x_train),
        ),
        _question(
            "Photographs by kind, then the same by kingdom.",
            "the label space 𝒴",
            "The same pictures. Only the list of possible answers changed.",
            _rows(photo.x_train, photo.x_train, kinds + kingdoms),
        ),
        _question(
            "Film reviews, then product reviews; negative or positive.",
            "the spread P(X)",
            "Same language, same labels, other things to talk about: nobody praises the battery of a film.",
            f"<br>{_quoted(film.x_train[:2])}<br>{_quoted(product.x_train[:2])}",
        ),
        _question(
            "Grey digits, then digits in colour.",
            "the feature space 𝒳",
            f"{mnist.x_train.shape[1:]} numbers a digit against {coloured.x_train.shape[1:]}: a network for the one "
            "cannot even read the other. Repeat the grey three times, and a difference of P(X) is left.",
            _rows(mnist.x_train, coloured.x_train),
        ),
        _question(
            "Film reviews, positive if rated above 0; then the same ones, positive if rated above 2.",
            "the rule P(Y|X)",
            "Same sentences, same two labels, and a lukewarm “fine” gets another one.",
        ),
        _question(
            "Photographs to train on, others to test on, drawn at random from one set.",
            "nothing",
            "This is ordinary learning. No transfer is needed, and the test is fair.",
        ),
    ]


def _question(ask: str, truth: str, why: str, shown: str = "") -> dict:
    return {"ask": ask, "options": OPTIONS, "truth": truth, "why": why, "shown": shown}


def _quoted(sentences: Sequence[str]) -> str:
    import html
    from textwrap import shorten

    return "<br>".join(f"“{html.escape(shorten(str(sentence), 90, placeholder=' …'))}”" for sentence in sentences)


def _rows(source: np.ndarray, target: np.ndarray, titles: Sequence[str] | None = None) -> str:
    images = [*source[:6], *target[:6]]
    alt = "Six pictures of the source above six of the target."
    return plots.as_html(plots.pictures(images, titles, columns=6), caption="Above: source. Below: target.", alt=alt)
