"""Features: what a frozen network makes of pictures or texts, computed once and kept."""

from tlcourse.material.features.extraction import embed, extract

__all__ = ["embed", "extract"]
