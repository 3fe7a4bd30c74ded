"""JupyterLab in a real browser, for tests: open a notebook, run all, move controls by keyboard, upload files."""

import re
from urllib.parse import urlsplit

from tlcourse.workshop import lab_server, presenting

TOKEN = "tlcourse"
EXPOSED = "--LabApp.expose_app_in_browser=True"
PATIENCE = 300_000  # milliseconds: nothing is waited for longer than it takes, and a busy machine takes its time
chromium = presenting.chromium
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
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


def server(folder, scratch, data):
    """JupyterLab on a folder, with no configuration but its own; yields its address.

    Args:
        folder: what it shows; notebooks in it may be changed.
        scratch: an empty folder for configuration and logs.
        data: the course's data, for the kernels.
    """
    return lab_server.lab(folder, scratch, SETTINGS, EXPOSED, token=TOKEN, environment={"TLCOURSE_DATA": str(data)})


class Watched:
    """A page that may reach this machine alone; it remembers what else it asked for, and what its console said."""

    def __init__(self, page):
        self.page, self.console, self.left = page, [], set()
        page.set_default_timeout(PATIENCE)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"))
        page.route("**/*", self._keep_inside)

    def open(self, address):
        """Go to a notebook in JupyterLab, and wait for its cells and its kernel."""
        self.page.goto(address)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(f"{NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'")

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


class Chapter(Watched):
    """A notebook open in a page of its own."""

    def __init__(self, page, address, name):
        super().__init__(page)
        self.name = name
        self.open(f"{address}/lab/tree/{name}?reset&token={TOKEN}")

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
                    if shows_something_else(self.page, area, before):
                        return kind
        return None

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


def shows_something_else(page, area, before):
    """Whether an output is not as it was, once the kernel has done all that it was asked for."""
    page.evaluate(f"() => {NOTEBOOK}.sessionContext.session.kernel.requestKernelInfo()")
    for _ in range(20):  # the browser has yet to draw it
        if area.evaluate(SHOWN) != before:
            return True
        page.wait_for_timeout(50)
    return False
