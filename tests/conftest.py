"""What several test files share."""

import pytest


@pytest.fixture(scope="module")
def browser():
    """A running Chromium."""
    import browser_lab
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser_lab.chromium(), args=browser_lab.ARGUMENTS)
        yield running
        running.close()
