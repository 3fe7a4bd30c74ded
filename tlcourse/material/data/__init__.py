"""The course's data, each set behind one function that returns a `Split`; all of it works offline."""

from tlcourse.material.data.digit_sets import DIGIT_SETS, digits
from tlcourse.material.data.fashion_set import FASHION_CLASSES, fashion
from tlcourse.material.data.folder import from_folder
from tlcourse.material.data.glyph_set import Glyphs, glyphs
from tlcourse.material.data.groups import parts_by_group
from tlcourse.material.data.picture import PictureError, read_picture
from tlcourse.material.data.review_set import REVIEW_DOMAINS, reviews
from tlcourse.material.data.script_set import Scripts, scripts
from tlcourse.material.data.split import Split
from tlcourse.material.data.sticker_set import STICKER_CLASSES, STICKER_DOMAINS, CutOuts, cut_outs, stickers
from tlcourse.material.data.tables import concepts, model_zoo, recorded

__all__ = [
    "DIGIT_SETS",
    "FASHION_CLASSES",
    "REVIEW_DOMAINS",
    "STICKER_CLASSES",
    "STICKER_DOMAINS",
    "CutOuts",
    "Glyphs",
    "PictureError",
    "Scripts",
    "Split",
    "concepts",
    "cut_outs",
    "digits",
    "fashion",
    "from_folder",
    "glyphs",
    "model_zoo",
    "parts_by_group",
    "read_picture",
    "recorded",
    "reviews",
    "scripts",
    "stickers",
]
