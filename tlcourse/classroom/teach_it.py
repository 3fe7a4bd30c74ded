"""Teach a network your own classes: give it pictures, name them, and it learns them in the blink of an eye.

`Lesson` does the work and knows nothing of widgets; `TeachIt` is the controls over it.
"""

import functools
import html
import time
from collections.abc import Iterable

import ipywidgets
import numpy as np
import pandas as pd

from tlcourse.classroom import lettering, plots, widgets
from tlcourse.material import data, features
from tlcourse.material.data.picture import PictureError, read_picture

SIZE = 128


class Lesson:
    """Pictures with names, and the classifier learnt from them.

    Args:
        backbone: a `keras.Model` from pictures to features; it stays frozen.
    """

    def __init__(self, backbone):
        self.backbone = backbone
        self.features: list[np.ndarray] = []
        self.names: list[str] = []
        self.classifier = None

    def show(self, pictures: Iterable[np.ndarray], name: str) -> int:
        """Take in examples of a class; what was learnt before has to be learnt again.

        Args:
            pictures: each `(SIZE, SIZE, 3)` uint8.
            name: the class they belong to.

        Returns:
            How many examples the class has now.

        Raises:
            ValueError: there is no name or no picture.
        """
        name, pictures = " ".join(name.split()), list(pictures)
        if not name:
            raise ValueError("Expected a name for these pictures, got none: type one first.")
        if not pictures:
            raise ValueError(f"Expected pictures of {name}, got none: choose some first.")
        self.features += list(features.extract(self.backbone, np.stack(pictures), cache=False))
        self.names += [name] * len(pictures)
        self.classifier = None
        return self.names.count(name)

    def learn(self) -> float:
        """Train a linear classifier on the features of all examples.

        Returns:
            The seconds that it took.

        Raises:
            ValueError: there are fewer than two classes.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import Normalizer

        classes = sorted(set(self.names))
        if len(classes) < 2:
            got = classes[0] if classes else "none"
            raise ValueError(f"Expected at least two classes to tell apart, got {got}: give pictures of another one.")
        start = time.perf_counter()
        balanced = LogisticRegression(C=30, max_iter=1000, class_weight="balanced")
        self.classifier = make_pipeline(Normalizer(), balanced).fit(np.stack(self.features), self.names)
        return time.perf_counter() - start

    def name(self, picture: np.ndarray) -> pd.Series:
        """How sure the classifier is of each class, likeliest first, in percent.

        Raises:
            ValueError: it has not learnt what it was shown.
        """
        if self.classifier is None:
            raise ValueError("Expected a trained classifier, got new examples or none: train it first.")
        row = features.extract(self.backbone, picture[None], cache=False)
        shares = 100 * self.classifier.predict_proba(row)[0]
        return pd.Series(shares, index=self.classifier.classes_).sort_values(ascending=False)


class TeachIt(widgets.Replayed):
    """Upload pictures or take stickers, name them, train, and try it on a picture it has not seen.

    Args:
        backbone: a `keras.Model` from pictures to features.
        domain: the stickers that are offered beside your own pictures.
    """

    aside = "It was given five stickers of every class, and has not seen these."

    def __init__(self, backbone, domain: str = "photo"):
        self.lesson = Lesson(backbone)
        self.stickers = data.stickers(domain, size=SIZE)
        wide = {"layout": {"width": "20em"}, "style": {"description_width": "initial"}}
        self.class_name = ipywidgets.Text(placeholder="name of the class", description="class", **wide)
        self.upload = ipywidgets.FileUpload(accept="image/*", multiple=True, description="its pictures")
        self.sticker_class = ipywidgets.Dropdown(options=self.stickers.classes, description="or stickers", **wide)
        self.take = ipywidgets.Button(description="add five stickers")
        self.train = ipywidgets.Button(description="train", button_style="primary")
        self.trial = ipywidgets.FileUpload(accept="image/*", multiple=False, description="try a picture")
        self.sticker_trial = ipywidgets.IntSlider(
            max=len(self.stickers.x_test) - 1, description="or test sticker", **wide
        )
        self.controls = {"sticker": self.sticker_trial}
        self.status, self.answer = ipywidgets.HTML(), ipywidgets.HTML()
        self.upload.observe(self._uploaded, "value")
        self.take.on_click(lambda _: self._say(self._taken))
        self.train.on_click(lambda _: self._say(self._trained))
        self.trial.observe(self._tried, "value")
        self.sticker_trial.observe(
            lambda change: self._say(lambda: self._named(self.stickers.x_test[change["new"]])), "value"
        )
        rows = (
            [self.class_name, self.upload],
            [self.sticker_class, self.take],
            [self.train],
            [self.trial, self.sticker_trial],
        )
        super().__init__([*(ipywidgets.HBox(row) for row in rows), self.status, self.answer])
        self.status.value = "Give it at least two classes; a handful of pictures each is enough."

    @property
    def words(self) -> str:
        """What can be done with it."""
        return (
            "To be tried in a running notebook: name classes, give them pictures of your own or stickers "
            f"({' / '.join(self.stickers.classes)}), train, and see what it says of a picture that it has not seen."
        )

    def replay(self, **values) -> str:
        """What it says of a test sticker after five stickers of every class."""
        return _verdict(self._taught, self.stickers.x_test[values["sticker"]])[1]

    @functools.cached_property
    def _taught(self) -> Lesson:
        taught = Lesson(self.lesson.backbone)
        for label, name in enumerate(self.stickers.classes):
            taught.show(self.stickers.x_train[self.stickers.y_train == label][:5], name)
        taught.learn()
        return taught

    def _say(self, action) -> None:
        """Do something and show what it returns; what a person can mend is said in a sentence, the rest is raised."""
        try:
            self.status.value = html.escape(action())
        except (PictureError, ValueError) as error:
            self.status.value = f"<b>{html.escape(str(error))}</b>"

    def _uploaded(self, change) -> None:
        if not change["new"]:
            return
        read, skipped = [], []
        for file in change["new"]:
            try:
                read.append(read_picture(bytes(file["content"]), SIZE))
            except PictureError as error:
                skipped.append(f"{file['name']}: {error}")
        if read or not skipped:
            self._say(lambda: " ".join([self._shown(read, self.class_name.value), *skipped]))
        else:
            self.status.value = f"<b>{html.escape(' '.join(skipped))}</b>"
        self.upload.value = ()  # the same files can be chosen again

    def _taken(self) -> str:
        label = self.stickers.classes.index(self.sticker_class.value)
        mine = self.stickers.x_train[self.stickers.y_train == label]
        before = self.lesson.names.count(self.sticker_class.value)
        return self._shown(mine[before : before + 5], self.sticker_class.value)

    def _shown(self, pictures, name: str) -> str:
        count = self.lesson.show(pictures, name)
        self.answer.value = ""
        return f"{count} pictures of {name}. {len(set(self.lesson.names))} classes so far: add more, or train."

    def _trained(self) -> str:
        seconds = self.lesson.learn()
        counts = pd.Series(self.lesson.names).value_counts()
        return f"Learnt {', '.join(f'{n} ({c})' for n, c in counts.items())} in {seconds:.2f} s. Now try a picture."

    def _tried(self, change) -> None:
        if not change["new"]:
            return
        file = change["new"][0]

        def named() -> str:
            try:
                return self._named(read_picture(bytes(file["content"]), SIZE))
            except PictureError as error:
                raise PictureError(f"{file['name']}: {error}") from error

        self._say(named)
        self.trial.value = ()

    def _named(self, picture) -> str:
        said, self.answer.value = _verdict(self.lesson, picture)
        return said


def _verdict(lesson: Lesson, picture: np.ndarray) -> tuple[str, str]:
    """What a lesson says of a picture: in a sentence, and as a figure."""
    shares = lesson.name(picture)
    left, right = plots.axes(1, 2, size=(5, 1.6), width_ratios=(1, 2))
    left.imshow(picture)
    left.axis("off")
    names = [lettering.as_written(name, most=24) for name in shares.index[::-1]]
    right.barh(range(len(names)), shares.to_numpy()[::-1], tick_label=names, color=plots.COLOURS[0])
    right.set(xlim=(0, 100), xlabel="%")
    said = f"It says {shares.index[0]}, {shares.iloc[0]:.0f} % sure."
    return said, plots.as_html(left.figure, caption=said, alt=f"The picture, and bars for each class. {said}")
