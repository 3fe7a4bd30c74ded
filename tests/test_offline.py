"""With the network cut off, loopback works, nothing leaves the machine, and the command's own status comes back."""

import os
import subprocess
import sys

import pytest

from tlcourse.workshop import offline

LOOPBACK = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
socket.getaddrinfo("localhost", 80)
socket.getaddrinfo(None, 0)
print("loopback works")
"""
# Connecting a datagram socket sends nothing: even if the cut failed, no packet would leave.
LEAVE = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
LEAVE_BY_CHILD = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {LEAVE!r}]))"


def cut(code, *options, env=None):
    command = [sys.executable, "-m", "tlcourse.workshop.offline", *options, "--", sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=env)


@pytest.fixture(params=["namespace", "guard"])
def way(request):
    if request.param == "namespace" and not offline.namespace_allowed():
        pytest.skip("this machine allows no network namespace, so that the guard is what is in force")
    return ["--guard"] if request.param == "guard" else []


def test_says_which_is_in_force(way):
    said = cut("", *way).stdout
    assert said.count("\n") == 1
    assert ("guard" in said) == bool(way)


def test_loopback_works(way):
    done = cut(LOOPBACK, *way)
    assert "loopback works" in done.stdout, done.stderr


@pytest.mark.parametrize("code", [LEAVE, LEAVE_BY_CHILD], ids=["itself", "its child"])
def test_nothing_leaves(way, code):
    done = cut(code, *way)
    assert done.returncode == 1
    assert "OSError" in done.stderr


def test_guard_says_what_was_wanted_and_refuses_names():
    done = cut("import socket; socket.getaddrinfo('course.invalid', 80)", "--guard")
    assert done.returncode == 1
    assert "The network is cut off here" in done.stderr
    assert "course.invalid" in done.stderr


def test_guard_keeps_the_machines_own_sitecustomize(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.own = 'kept'\n")
    done = cut("import sys; print(sys.own)", "--guard", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert "kept" in done.stdout, done.stderr


def test_status_of_the_command_comes_back(way):
    assert cut("import sys; sys.exit(7)", *way).returncode == 7


def test_files_still_belong_to_the_same_person(way, tmp_path):
    file = tmp_path / "made"
    cut(f"open({str(file)!r}, 'w').close()", *way)
    assert file.stat().st_uid == tmp_path.stat().st_uid


def test_missing_command_is_one_sentence(way):
    command = [sys.executable, "-m", "tlcourse.workshop.offline", *way, "--", "no-such-command"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (127, "offline: there is no command 'no-such-command'.\n")
