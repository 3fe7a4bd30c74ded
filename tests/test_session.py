"""The set-up cell says nothing, and needs no folder for temporary files."""

import os
import subprocess
import sys
import tempfile

import pytest

from tlcourse.classroom import session

# The set-up cell.

NOISE = "import os, sys\nfrom tlcourse.classroom import session\nwith session._without_native_noise():\n    {}"


@pytest.mark.parametrize(
    ("inside", "code", "said"),
    [("os.write(2, b'noise')", 0, ""), ("os.write(2, b'noise'); sys.exit(3)", 3, "noise")],
)
def test_noise_is_held_back_unless_the_start_fails(inside, code, said):
    done = subprocess.run([sys.executable, "-c", NOISE.format(inside)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


def test_where_no_temporary_file_can_be_made_nothing_is_held_back(monkeypatch, capfd):
    def refusing():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/var/tmp', '/usr/tmp', '/']")

    monkeypatch.setattr(tempfile, "TemporaryFile", refusing)
    with session._without_native_noise():
        os.write(2, b"noise")
    assert capfd.readouterr().err == "noise"
    with pytest.raises(ZeroDivisionError) as error, session._without_native_noise():
        1 / 0  # noqa: B018
    assert error.value.__context__ is None, "the reader is sent to the wrong error"
