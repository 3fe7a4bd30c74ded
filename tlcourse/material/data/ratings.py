"""The sentences that Hutto & Gilbert (2014) had rated by people, from four files into one tidy table."""

from __future__ import annotations

import csv
import html
import io
import tarfile
from pathlib import Path

FILES = {
    "film": "movieReviewSnippets_GroundTruth.txt",
    "product": "amazonReviewSnippets_GroundTruth.txt",
    "editorial": "nytEditorialSnippets_GroundTruth.txt",
    "tweet": "tweets_GroundTruth.txt",
}
DOMAINS = tuple(FILES)


def tidy(archive: Path) -> bytes:
    """Turn the authors' archive into one CSV (UTF-8): domain, document, rating, text.

    Only this is changed: HTML entities become their characters (``&amp;`` → ``&``), runs of white space one space,
    and ratings keep four decimals. Spelling, case and punctuation stay. ``document`` is the number of the product
    review or of the editorial that a sentence was cut from, so that a split need not put two sentences of one
    review on both sides; films and tweets carry no such number, there each sentence is a document of its own.

    It is not compressed, since zlib's bytes differ between platforms and the file's SHA-256 is checked.

    Args:
        archive: ``hutto_ICWSM_2014.tar.gz``.

    Returns:
        The bytes of the CSV file, ordered by domain and then as the authors have it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["domain", "document", "rating", "text"])
    with tarfile.open(archive) as tar:
        for domain, name in FILES.items():
            member = tar.extractfile(f"hutto_ICWSM_2014/{name}")
            assert member is not None  # the archive is the one whose SHA-256 was compared
            lines = member.read().decode("utf-8").splitlines()
            for line in lines:
                number, rating, text = line.split("\t")
                words = " ".join(html.unescape(html.unescape(text)).split())  # some were escaped twice
                writer.writerow([domain, number.split("_")[0], f"{float(rating):.4f}", words])
    return out.getvalue().encode("utf-8")
