"""Markdown on a slide: cut into blocks that stay whole, and about how high they are."""

from __future__ import annotations

import re

# What a slide of 1280 x 720 holds, in its pixels, as `deck.css` sets the type. They only decide what goes on a slide
# together: `deck.js` measures each slide, and makes it smaller where it is too high all the same.
WIDTH, HEIGHT, COLUMNS, CODE_COLUMNS = 1150, 570, 78, 80
LINE, CODE_LINE, ROW, GAP, STRIP = 41, 35, 48, 20, 300


def split(source: str) -> list[str]:
    """Cut Markdown between its blocks: paragraphs, lists, tables, code; what is in a fence or a formula stays whole."""
    blocks: list[str] = []
    whole = False
    for part in re.split(r"\n\s*\n", source.strip()):
        if whole:
            blocks[-1] += f"\n\n{part}"
        else:
            blocks.append(part)
        fences = len(re.findall(r"^\s*```", part, re.M)) + part.count("$$")
        whole ^= fences % 2 == 1
    return [piece for block in blocks if block for piece in _shorter(block)]


def _shorter(block: str) -> list[str]:
    """A list that is higher than a slide, by its items; a long paragraph, by its sentences; else the block as it is."""
    if _is_list(block):
        return [block] if height(block) <= HEIGHT else re.split(r"\n(?=(?:[-*+]|\d+\.) )", block)
    most = HEIGHT - 2 * LINE - GAP  # so that it has room below a heading
    if height(block) <= most or re.match(r"```|\||#|>|\$\$", block):
        return [block]
    parts, share = [""], height(block) / -(-height(block) // most)
    for sentence in re.split(r"(?<=[.!?:)]) ", " ".join(block.split())):
        marks = parts[-1].count("`") % 2 or parts[-1].count("**") % 2 or parts[-1].count("$") % 2
        if parts[-1] and height(parts[-1]) >= share and not marks:
            parts.append("")
        parts[-1] += f" {sentence}" if parts[-1] else sentence
    return parts


def _is_list(block: str) -> bool:
    return re.match(r"(?:[-*+]|\d+\.) ", block) is not None


def height(block: str) -> int:
    """About how high a block of Markdown is on a slide, in pixels of 1280 x 720."""
    lines = block.splitlines()
    if block.startswith("#"):
        return 2 * LINE + sum(height(line) for line in lines[1:])
    if block.startswith("```"):
        return CODE_LINE * len(lines) + GAP
    if block.startswith("|"):
        return sum(ROW + CODE_LINE * (len(plain(line)) // (COLUMNS + 15)) for line in lines)
    if _is_list(block):
        return sum(_lines(item) * LINE + 4 for item in re.split(r"\n(?=\s*(?:[-*+]|\d+\.) )", block)) + GAP
    return LINE * _lines(block) + GAP


def _lines(text: str) -> int:
    return -(-len(plain(text)) // COLUMNS)


def plain(text: str) -> str:
    """Markdown without its marks."""
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"[*`$\\]|^#+ ", "", text)).strip()
