"""Draw one example each of five characters, then a sixth: it is named by the nearest. Or pick them, by keyboard alone.

`OneShot` does the work and knows nothing of widgets; `Sketch` is the controls over it. The pad is a canvas that writes
its strokes into a text control, so nothing is needed but ipywidgets.
"""

import base64
import html
import io
import json
import math
from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np

from tlcourse.classroom import widgets

PAD, SIZE, INNER = 168, 28, 20  # the pad in pixels of the screen, a picture, and the part of it that a drawing fills
KNOWN = 5
LONGEST = 200_000  # letters of a message from the pad


def rasterised(strokes: Sequence[Sequence[Sequence[float]]]) -> np.ndarray:
    """Strokes as a picture like those of `data.scripts`: white on black, its longer side `INNER` pixels, in the middle.

    Args:
        strokes: each a list of points `(x, y)`, y downwards.

    Returns:
        `(28, 28) uint8`.

    Raises:
        ValueError: there is no stroke, or a point that is none.
    """
    from PIL import Image, ImageDraw

    points = [(float(x), float(y)) for stroke in strokes for x, y in stroke]
    if not points or not all(map(math.isfinite, sum(points, ()))):
        raise ValueError("Expected at least one stroke of points (x, y), got none: draw something on the pad.")
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    over = 8
    scale = over * (INNER - 2) / max(1e-6, *(high - low))
    middle = (low + high) / 2
    canvas = Image.new("L", (SIZE * over, SIZE * over))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        line = [tuple((np.array(point, float) - middle) * scale + SIZE * over / 2) for point in stroke]
        pen.line(line, fill=255, width=2 * over, joint="curve")
        for x, y in line:
            pen.ellipse((x - over, y - over, x + over, y + over), fill=255)
    return np.asarray(canvas, "float32").reshape(SIZE, over, SIZE, over).mean(axis=(1, 3)).astype("uint8")


class OneShot:
    """Five known pictures, and what a sixth looks like to an embedding.

    Args:
        embed: from `(n, 28, 28) uint8` to `(n, width)`.
    """

    def __init__(self, embed: Callable[[np.ndarray], np.ndarray]):
        self.embed = embed
        self.pictures: list[np.ndarray | None] = [None] * (KNOWN + 1)

    def distances(self) -> np.ndarray | None:
        """Squared, from the sixth to each of the five; None while one of the six is missing."""
        if any(picture is None for picture in self.pictures):
            return None
        z = np.asarray(self.embed(np.stack(self.pictures)))
        return ((z[:KNOWN] - z[KNOWN]) ** 2).sum(axis=-1)


class Sketch(widgets.Replayed):
    """A pad, a choice of letters for whoever does not draw, and what the sixth is taken for.

    Args:
        embed: from `(n, 28, 28) uint8` to `(n, width)`.
        letters: to choose from, by the name of a writing system: `(letters, drawings, 28, 28) uint8`.
    """

    aside = "Recorded letters; your own can be drawn on a pad in a running notebook."

    def __init__(self, embed: Callable[[np.ndarray], np.ndarray], letters: dict[str, np.ndarray]):
        self.shot, self.letters = OneShot(embed), letters
        wide = {"layout": {"width": "26em"}, "style": {"description_width": "8em"}}
        self.system = ipywidgets.Dropdown(options=list(letters), description="examples from", **wide)
        self.sixth = ipywidgets.IntSlider(min=1, max=4 * KNOWN, description="the sixth", **wide)
        slots = [(f"{n + 1}", n) for n in range(KNOWN)] + [("the sixth", KNOWN)]
        self.slot = ipywidgets.ToggleButtons(
            options=slots, value=KNOWN, description="I draw", style={"button_width": "auto"}
        )
        self.controls = {"system": self.system, "sixth": self.sixth}
        self.strokes = ipywidgets.Text(description="strokes", layout={"display": "none"})
        self.strokes.add_class("tlcourse-strokes")
        self.pad, self.answer = ipywidgets.HTML(_PAD), ipywidgets.HTML()
        self.system.observe(self._chosen, "value")
        self.sixth.observe(self._asked, "value")
        self.strokes.observe(self._drawn, "value")
        super().__init__([self.system, self.sixth, self.slot, ipywidgets.HBox([self.pad, self.answer]), self.strokes])
        self.add_class("tlcourse-sketch")
        self._chosen()

    @property
    def words(self) -> str:
        """What can be done with it."""
        return (
            "To be tried in a running notebook: draw one example each of five characters with the mouse, or choose a "
            f"writing system ({len(self.letters)} of them), then draw or choose a sixth, and see what it is taken for."
        )

    def grid(self, most: int = 60) -> dict[str, list]:
        """Writing systems, and the number of a sixth, each of the five letters once."""
        numbers, here = widgets.positions(self.sixth)
        names, at = widgets.positions(self.system)
        systems = widgets.thinned(names, at, min(len(names), most // KNOWN))
        return {"system": systems, "sixth": widgets.thinned(numbers, here, KNOWN)}

    def replay(self, **values) -> str:
        """What it says of letters that can be chosen."""
        kept, self.shot.pictures = self.shot.pictures, self._pick(values["system"], values["sixth"])
        try:
            return self._html()
        finally:
            self.shot.pictures = kept

    def _pick(self, system: str, number: int) -> list[np.ndarray | None]:
        """A drawing of each of five letters, and one more of one of them."""
        drawings, number = self.letters[system], number - 1
        letters = np.linspace(0, len(drawings) - 1, KNOWN).round().astype(int)
        asked = drawings[letters[number % KNOWN], 1 + number // KNOWN]
        return [*drawings[letters, 0], asked]

    def _chosen(self, _change=None) -> None:
        self.shot.pictures = self._pick(self.system.value, self.sixth.value)
        self._update()

    def _asked(self, _change=None) -> None:
        self.shot.pictures[KNOWN] = self._pick(self.system.value, self.sixth.value)[KNOWN]
        self._update()

    def _drawn(self, change) -> None:
        """A message from the pad: JSON of strokes; what is none is left alone."""
        try:
            if not change["new"] or len(change["new"]) > LONGEST:
                return
            self.shot.pictures[self.slot.value] = rasterised(json.loads(change["new"])["strokes"])
        except (ValueError, TypeError, KeyError):
            return
        self._update()

    def _update(self) -> None:
        self.answer.value = self._html()

    def _html(self) -> str:
        distances = self.shot.distances()
        if distances is None:
            return "Five examples and a sixth, please."
        nearest = int(distances.argmin())
        bars = "".join(
            f'<td style="text-align:center;padding:4px{";outline:3px solid #D55E00" if n == nearest else ""}">'
            f"{picture(self.shot.pictures[n], f'example {n + 1}')}<br>{n + 1}: {math.sqrt(distance):.1f}</td>"
            for n, distance in enumerate(distances)
        )
        said = f"The sixth is taken for number {nearest + 1}."
        return (
            f"<table><tr><td>{picture(self.shot.pictures[KNOWN], 'the sixth character')}<br>the sixth</td>"
            f"<td style='width:2em'></td>{bars}</tr></table><p>{html.escape(said)} Below each: how far it is.</p>"
        )


def picture(pixels: np.ndarray, alt: str) -> str:
    """A picture, black on white, as an `<img>` of twice its size."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(255 - pixels).save(buffer, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="Picture of {html.escape(alt)}" width="56" height="56" src="data:image/png;base64,{data}">'


_PAD = f"""<canvas width="{PAD}" height="{PAD}" role="img" aria-label="A pad to draw on with the mouse; or choose above"
style="border:2px solid #888;touch-action:none;background:#fff;cursor:crosshair"
onpointerdown="var c=this;c.setPointerCapture(event.pointerId);if(!c.all)c.all=[];c.at=[[event.offsetX,event.offsetY]]"
onpointermove="var c=this;if(c.at){{var g=c.getContext('2d'),p=c.at[c.at.length-1];g.lineWidth=9;g.lineCap='round';
g.beginPath();g.moveTo(p[0],p[1]);g.lineTo(event.offsetX,event.offsetY);g.stroke();c.at.push([event.offsetX,event.offsetY])}}"
onpointerup="var c=this;if(c.at){{c.all.push(c.at);c.at=null;
var t=c.closest('.tlcourse-sketch').querySelector('.tlcourse-strokes input');
t.value=JSON.stringify({{strokes:c.all,at:Date.now()}});t.dispatchEvent(new Event('input',{{bubbles:true}}));
t.dispatchEvent(new Event('change',{{bubbles:true}}))}}"></canvas><br>
<button type="button" onclick="var c=this.parentNode.querySelector('canvas');c.all=[];c.at=null;
c.getContext('2d').clearRect(0,0,{PAD},{PAD})">clear the pad</button>"""
