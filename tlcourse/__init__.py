"""An interactive course on transfer learning: real weights, real pictures, every claim recomputed."""

from importlib import metadata

try:
    __version__ = metadata.version("tlcourse")  # it stands in pyproject.toml, and nowhere else
except metadata.PackageNotFoundError:  # a checkout that is not installed; `doctor` says so
    __version__ = "not installed"
