"""Fetch and unpack Debian's font packages for the builders; needs `apt-get` and `dpkg`."""

import subprocess
from collections.abc import Iterable
from pathlib import Path


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
