"""Kernels of this very Python, whatever kernel specifications lie about on the machine, and how to question one."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from tlcourse.workshop import WorkshopError


class ThisPython(KernelSpecManager):
    """Gives the running Python for every kernel's name: a `python3` from elsewhere must not shadow the course's."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the specification of ipykernel in this interpreter."""
        from ipykernel.kernelspec import RESOURCES, get_kernel_dict

        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a kernel: the caller's, with Python's hashing fixed, so that set order repeats."""
    return {**os.environ, "PYTHONHASHSEED": "0", **more}


class Kernel:
    """A kernel that runs cells one after another; use it as a context manager."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None, timeout: float = 600) -> None:
        self.timeout = timeout
        self._manager = KernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
        self._start = {"cwd": str(folder), "env": dict(env or environment())}

    def __enter__(self) -> Kernel:
        with open(os.devnull, "w") as nowhere:
            self._manager.start_kernel(stderr=nowhere, **self._start)
        self.client = self._manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def run(self, source: str) -> None:
        """Run a cell.

        Raises:
            WorkshopError: the cell raised, or did not finish in time.
        """
        try:
            reply = self.client.execute_interactive(
                source, timeout=self.timeout, allow_stdin=False, output_hook=lambda message: None
            )
        except TimeoutError:
            raise WorkshopError(f"A cell did not finish in {self.timeout:g} s: {source[:80]!r}.") from None
        content = reply["content"]
        if content["status"] != "ok":
            raise WorkshopError(f"A cell raised {content.get('ename')}: {content.get('evalue')} ({source[:80]!r}).")

    def ask(self, expression: str) -> Any:
        """See `ask`."""
        return ask(self.client, expression, timeout=self.timeout)


def ask(client: Any, expression: str, *, timeout: float = 600) -> Any:
    """Evaluate an expression that returns JSON in a kernel, without touching the notebook's names or history.

    Args:
        client: a blocking client of the kernel.
        expression: may use `widget_driver`, the module `tlcourse.workshop.widget_driver`.
        timeout: seconds to wait for the answer.

    Returns:
        What the JSON says.

    Raises:
        WorkshopError: the expression raised, or the kernel died or did not answer in time.
    """
    imported = "__import__('tlcourse.workshop.widget_driver', fromlist=['drive'])."
    message = client.execute(
        "",
        silent=True,
        allow_stdin=False,
        stop_on_error=False,
        user_expressions={"answer": expression.replace("widget_driver.", imported, 1)},
    )
    deadline = time.monotonic() + timeout
    reply = _await(client.get_shell_msg, message, deadline, lambda content: True)
    _await(client.get_iopub_msg, message, deadline, lambda content: content.get("execution_state") == "idle")
    answer = reply.get("user_expressions", {}).get("answer", reply)
    if answer["status"] != "ok":
        raise WorkshopError(f"The kernel could not answer ({answer.get('ename')}: {answer.get('evalue')}).")
    return json.loads(ast.literal_eval(answer["data"]["text/plain"]))


def _await(get: Any, message: str, deadline: float, wanted: Any) -> dict[str, Any]:
    while True:
        try:
            found = get(timeout=max(0.1, deadline - time.monotonic()))
        except Empty:
            raise WorkshopError("The kernel did not answer in time; is a callback caught in a loop?") from None
        if found["parent_header"].get("msg_id") == message and wanted(found["content"]):
            return found["content"]


@contextlib.contextmanager
def beside(manager: Any) -> Iterator[Callable[[str], Any]]:
    """A second line to a running kernel: a function like `ask`, for whoever runs its cells in another way."""
    from jupyter_client.blocking.client import BlockingKernelClient

    client = BlockingKernelClient()  # with a session of its own: of two with one name a kernel answers but the first
    client.load_connection_info(manager.get_connection_info())
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield functools.partial(ask, client)
    finally:
        client.stop_channels()


class Memory:
    """Peak resident memory of a process and its children, in bytes.

    Sampled, and where the system keeps the high-water mark of a process (Linux: VmHWM) the larger of the two, so that
    a peak between samples is not missed.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = 0

    def look(self) -> None:
        """Take one sample."""
        import psutil

        with contextlib.suppress(psutil.Error):
            process = psutil.Process(self.pid)
            total = 0
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += each.memory_info().rss
            self.peak = max(self.peak, total)
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)


@contextlib.contextmanager
def watch(pid: int, *, every: float = 0.2) -> Iterator[Memory]:
    """Sample the memory of a process tree while the block runs."""
    memory = Memory(pid)
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every):
            memory.look()

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        memory.look()
        done.set()
        thread.join()
