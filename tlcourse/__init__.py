"""An interactive course on transfer learning: real weights, real pictures, every claim recomputed."""

__version__ = "0.1.0"
