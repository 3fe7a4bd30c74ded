"""Loads the course's notebook plugin, so that `pytest --nbval notebooks` runs the course as a student meets it."""

pytest_plugins = ["notebook_plugin"]
