"""How the course is run and kept true: executing notebooks, driving widgets, cutting the network, measuring."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


class WorkshopError(RuntimeError):
    """Something that the person at the command line can mend; the message is one sentence that says how."""
