"""Names in figures as they are written, be they those of somebody's folders: any script, any length, any sign."""

import unicodedata

# For what matplotlib's own font lacks (Chinese, Japanese, Korean, Thai, Hindi, emoji): what Windows, macOS and Linux
# have. Emoji in colour cannot be drawn.
MORE_FONTS = (
    *("Microsoft YaHei", "PingFang SC", "Hiragino Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei"),
    *("Malgun Gothic", "Apple SD Gothic Neo", "NanumGothic", "Leelawadee UI", "Thonburi", "Noto Sans Thai", "Loma"),
    *("Nirmala UI", "Kohinoor Devanagari", "Noto Sans Devanagari", "Lohit Devanagari"),
    *("Segoe UI Emoji", "Noto Emoji", "Symbola"),
)


def families() -> list[str]:
    """The families of fonts to draw with, in their order: matplotlib's, then those of `MORE_FONTS` that are there."""
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())  # of one that is not there matplotlib would complain
    return [*mpl.rcParamsOrig["font.family"], *(name for name in MORE_FONTS if name in there)]


def as_written(name: object, most: int = 48) -> str:
    r"""A name for a label, so that matplotlib shows what stands there, be it the name of somebody's folder.

    It would take what lies between two `$` for a formula, leave a name that begins with `_` out of the legend, refuse
    what is not Unicode, warn of each letter that its fonts lack, and make axes as small as a long name leaves them.

    Args:
        name: whatever it is.
        most: letters of a line; wide ones count twice. A longer line loses its middle, for names often end differently.
    """
    text = str(name).encode("utf-8", "replace").decode("utf-8")
    text = "\n".join(_line(line, most) for line in text.split("\n"))
    return f"\u200b{text}" if text.startswith("_") else text  # an invisible space


def _line(line: str, most: int) -> str:
    pieces = list(line) if line.isascii() and line.isprintable() else _drawable(line)
    wide = [sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in piece) for piece in pieces]
    if (total := sum(wide)) > most:
        while total >= most:
            middle = len(pieces) // 2
            total -= wide.pop(middle)
            pieces.pop(middle)
        pieces.insert((len(pieces) + 1) // 2, "…")
    return "".join(pieces).replace("$", r"\$")


def _drawable(line: str) -> list[str]:
    """A piece for each letter: itself where there is a font for it, else its short name or number in brackets."""
    import matplotlib as mpl
    from matplotlib import font_manager

    kinds = [
        [font_manager.FontProperties(family=[family], weight=weight) for family in mpl.rcParams["font.family"]]
        for weight in ("normal", "bold")  # titles are bold, and that font may lack more
    ]
    fonts = [[font_manager.get_font(font_manager.findfont(kind)) for kind in each] for each in kinds]

    def piece(letter: str) -> str:
        if all(any(font.get_char_index(ord(letter)) for font in each) for each in fonts):
            return letter
        kind, called = unicodedata.category(letter), unicodedata.name(letter, "").lower()
        if kind in ("Cf", "Me", "Mn", "Sk"):  # what only changes its neighbour, such as an emoji's colour
            return ""
        return f"({called if kind == 'So' and len(called) <= 20 else f'U+{ord(letter):04X}'})"

    return [piece(letter) for letter in line]
