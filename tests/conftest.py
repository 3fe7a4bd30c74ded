"""What several test files share."""

import os
import subprocess
import sys

import pytest

from tlcourse.workshop import ROOT


@pytest.fixture(scope="module")
def browser():
    """A running Chromium."""
    import browser_lab
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser_lab.chromium(), args=browser_lab.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The whole site, built as a reader would: in a process of its own, for Sphinx leaves marks in docutils."""
    folder = tmp_path_factory.mktemp("site")
    where = {"TLCOURSE_REPOSITORY": "https://github.com/somebody/course", "TLCOURSE_BRANCH": "trunk"}
    environment = {**os.environ, **where}
    command = [sys.executable, "-m", "tlcourse", "site", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder
