"""A JupyterLab with a home of its own, which reads and writes nothing of the user's."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tlcourse.workshop import WorkshopError, kernels

# JupyterLab's configuration without news, without the question about them, and without a request to the network.
QUIET = Path(__file__).with_name("jupyter")
HOMES = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTER_DATA_DIR": "share",
    "IPYTHONDIR": "ipython",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


@contextlib.contextmanager
def lab(
    folder: Path,
    scratch: Path,
    settings: Mapping[str, Any],
    *options: str,
    token: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """JupyterLab on a folder, with a home of its own: no news, no question about updates, no request to the network.

    Args:
        folder: what it shows.
        scratch: a folder for its configuration, settings and log.
        settings: of Lab's plug-ins, by the path of their file.
        options: more words of the command line.
        token: what opens it.
        environment: more variables for it and its kernels.

    Yields:
        Its address.

    Raises:
        WorkshopError: it did not start.
    """
    for name, values in settings.items():
        file = scratch / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    homes = {name: str(scratch / home) for name, home in HOMES.items()}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.open_browser=False", *options),
    ]
    log = scratch / "server.log"
    with open(log, "wb") as stream:
        # In a session of its own, so that Ctrl+C in the terminal reaches us alone, and is not asked about there.
        process = subprocess.Popen(
            command,
            env=kernels.environment(JUPYTER_CONFIG_PATH=str(QUIET), **homes, **(environment or {})),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/api", process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.1)
    raise WorkshopError(f"JupyterLab did not start; its last words: {log.read_text(errors='replace')[-2000:].strip()}")
