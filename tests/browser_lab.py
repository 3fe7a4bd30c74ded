"""JupyterLab in a real browser, for tests: open a notebook, run all, move controls by keyboard, upload files."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

TOKEN = "tlcourse"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What the browser's console may say without anything being wrong with the course, each with its reason.
BENIGN = {
    r"favicon": "the browser asks for an icon that the server does not have",
    r"Failed to load resource.*/api/(workspaces|settings|me|contents).*40[49]": "Lab looks for what a first user lacks",
    r"Failed to load resource.*(translations|build|lsp/status)": "optional parts of JupyterLab that are not installed",
    r"Websocket.*(closed|failed)|WebSocket is already": "a kernel's socket closes when its notebook does",
}
SETTINGS = {
    # All cells are in the page at once, so that a control below the fold can be found.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def chromium():
    """Where Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def server(folder, scratch, data):
    """JupyterLab on a folder, with no configuration but its own; yields its address.

    Args:
        folder: what it shows; notebooks in it may be changed.
        scratch: an empty folder for configuration and logs.
        data: the course's data, for the kernels.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for name, settings in SETTINGS.items():
        file = scratch / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    homes = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTER_DATA_DIR": "share",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = (
        os.environ | {name: str(scratch / home) for name, home in homes.items()} | {"TLCOURSE_DATA": str(data)}
    )
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"),
        *("--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--ServerApp.open_browser=False"),
    ]
    address = f"http://127.0.0.1:{port}"
    with open(scratch / "server.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(300):
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    urllib.request.urlopen(f"{address}/api", timeout=5).close()
                    break
                if process.poll() is not None:
                    break
                time.sleep(0.2)
            else:
                process.kill()
            if process.poll() is not None:
                raise RuntimeError(f"JupyterLab did not start:\n{(scratch / 'server.log').read_text()[-3000:]}")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Chapter:
    """A notebook open in a page of its own."""

    def __init__(self, page, address, name):
        self.page, self.name = page, name
        self.console, self.left = [], set()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        page.route("**/*", self._keep_inside)
        page.goto(f"{address}/lab/tree/{name}?reset&token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        page.wait_for_function(f"{NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'", timeout=120_000)

    def _heard(self, message):
        said = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not any(re.search(pattern, said) for pattern in BENIGN):
            self.console.append(said)

    def _keep_inside(self, route):
        url = urlsplit(route.request.url)
        if url.scheme in ("data", "blob") or url.hostname == "127.0.0.1":
            route.continue_()
        else:
            self.left.add(url.hostname)
            route.abort()

    def pictures(self):
        """The pictures in outputs, as `[alt text, whether it is really seen]`."""
        return self.page.evaluate(
            """[...document.querySelectorAll('.jp-OutputArea img')].map(
                image => [image.alt, image.complete && image.naturalWidth > 0])"""
        )

    def run_all(self):
        """Run all cells by the command that the Run menu calls, and give the error outputs there are at the end."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return self.errors()

    def errors(self):
        """The error outputs in the notebook now, callbacks' included."""
        return self.page.evaluate(
            f"""{NOTEBOOK}.content.widgets.flatMap((cell, index) =>
                (cell.model.sharedModel.outputs ?? []).filter(output => output.output_type === 'error')
                .map(output => `cell ${{index}}: ${{output.ename}}: ${{output.evalue}}`))"""
        )

    def not_run(self):
        """Numbers of the code cells that have no execution count."""
        return self.page.evaluate(
            f"""{NOTEBOOK}.content.widgets.flatMap((cell, index) =>
                cell.model.type === 'code' && cell.model.sharedModel.source.trim() && !cell.model.executionCount
                ? [index] : [])"""
        )

    def move_a_control(self):
        """Move sliders and lists by keyboard until what one of them shows changes.

        Returns:
            What was moved, or None if nothing that can be moved by keyboard changed anything.
        """
        kinds = {"slider": ".noUi-handle", "list": ".widget-dropdown select, .widget-select select"}
        for kind, selector in kinds.items():
            for control in self.page.locator(f".jp-OutputArea {selector}").all():
                area = control.locator("xpath=ancestor::div[contains(@class, 'jp-OutputArea-output')][1]")
                control.scroll_into_view_if_needed()
                control.focus()
                before = area.evaluate(SHOWN)
                for key in ("ArrowRight", "ArrowLeft") if kind == "slider" else ("ArrowDown", "ArrowUp"):
                    self.page.keyboard.press(key)
                    if self._changes(area, before):
                        return kind
        return None

    def _changes(self, area, before, seconds=5):
        """Whether what an output shows is soon something else. A busy kernel answers late, so wait by its status."""
        for _ in range(seconds * 10):
            if area.evaluate(SHOWN) != before:
                return True
            self.page.wait_for_timeout(100)
        return False

    def upload(self, files, *, button="Upload"):
        """Give files to a FileUpload widget, as a person does through its button.

        Args:
            files: paths.
            button: the widget's description.
        """
        with self.page.expect_file_chooser() as chooser:
            self.page.locator("button.widget-upload", has_text=button).first.click()
        chooser.value.set_files([str(file) for file in files])

    def close(self):
        """Shut the kernel down and leave the page."""
        self.page.evaluate(f"{NOTEBOOK}.sessionContext.shutdown()")
        self.page.close()


NOTEBOOK = "window.jupyterapp.shell.currentWidget"
# Pictures, and what HTML widgets say: not the control itself, which changes in any case.
SHOWN = """area => [...area.querySelectorAll('img')].map(image => image.src).join()
    + [...area.querySelectorAll('.widget-html-content')].map(html => html.innerHTML).join()"""
