"""What the builders that draw from Debian's packages share; needs `apt-get` and `dpkg`."""

import argparse
import csv
import subprocess
from collections.abc import Iterable
from pathlib import Path


def arguments(description: str) -> tuple[Path, bool]:
    """`--work` and `--report` of a builder's command line: its working folder, and whether to draw contact sheets."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    return options.work.resolve(), options.report


def unpack(packages: Iterable[str], work: Path) -> dict[str, str]:
    """Download the packages that `work/debs` does not have yet, unpack all there into `work/x/<package>`.

    Returns:
        The version of each package in `work/debs`.
    """
    debs, versions = work / "debs", {}
    debs.mkdir(parents=True, exist_ok=True)
    (work / "x").mkdir(exist_ok=True)  # dpkg makes the last folder of a path only
    lacking = sorted(set(packages) - {deb.name.split("_")[0] for deb in debs.glob("*.deb")})
    if lacking:
        subprocess.run(["apt-get", "download", "-qq", *lacking], cwd=debs, check=True)
    for deb in sorted(debs.glob("*.deb")):
        package, version, _ = deb.name.split("_")
        versions[package] = version.replace("%3a", ":")  # apt writes the epoch's colon so
        target = work / "x" / package
        if not target.exists():
            subprocess.run(["dpkg", "-x", str(deb), str(target)], check=True)
    return versions


def write_table(rows: list[dict], file: Path) -> None:
    """Write the rows as CSV, the same bytes on every system; its folder is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
