"""Where a sweep's trials run: in processes of this machine, or on a Dask cluster by its address.

Both take a function and its arguments, give results as they come, and run what a worker took with it when it died once
more on another one. Neither knows what a trial is.

The cluster is spoken to by `distributed` itself, and not through joblib: before anything runs, the versions of its
workers have to be compared with this machine's, and what is missing has to be said in a sentence.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

DEATHS = 3  # workers that may die before it must be the trials that kill them
ANSWER_SECONDS = 30
# Sums come out equal only if they are added up in the same order. Read when TensorFlow loads, so set before.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def locally(work: Callable, arguments: Sequence, *, jobs: int) -> Iterator:
    """Results of `work(argument)` in the order in which they are finished, in so many processes of one thread each.

    Raises:
        ValueError: there is no process to run them.
        RuntimeError: processes keep dying, most likely for want of memory.
    """
    from joblib.externals.loky import as_completed
    from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError

    if jobs < 1:
        raise ValueError(f"Expected at least one job, got {jobs}: pass --jobs 1.")
    waiting, deaths = dict(enumerate(arguments)), 0
    while waiting:
        workers = ProcessPoolExecutor(
            min(jobs, len(waiting)), env=ONE_THREAD, initializer=_end_with, initargs=(os.getpid(),)
        )
        died = None
        try:
            numbers = {workers.submit(work, argument): i for i, argument in waiting.items()}
            for future in as_completed(numbers):
                try:
                    result = future.result()
                except TerminatedWorkerError as error:  # of all that were not finished
                    died = error
                else:
                    del waiting[numbers[future]]
                    yield result
        finally:
            workers.shutdown(kill_workers=True)
        deaths += died is not None
        if deaths > DEATHS:
            raise RuntimeError(
                f"Expected workers that live, but {deaths} died, with {len(waiting)} trials to go: use fewer jobs, "
                "for each takes its own memory."
            ) from died


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, however that ended: nobody waits for its result any more."""
    import psutil

    def watch():
        while os.getppid() == parent and psutil.pid_exists(parent):
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def on_cluster(work: Callable, arguments: Sequence, *, scheduler: str) -> Iterator:
    """Results of `work(argument)` in the order in which they are finished, on the workers of a Dask cluster.

    Args:
        work: importable by the workers, so that they need this package, in the same version.
        arguments: one for each result.
        scheduler: its address, such as "tcp://10.0.0.5:8786".

    Raises:
        RuntimeError: the package `distributed` is missing, nobody answers at the address, no worker is there, workers
            differ in their versions from this machine, or a trial kills whoever runs it.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise RuntimeError("A cluster needs the extra `cluster`: pip install 'tlcourse[cluster]'.") from error
    try:
        client = Client(scheduler, timeout=ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise RuntimeError(
            f"Expected a Dask scheduler at {scheduler}, got no answer: start `dask scheduler` there, and pass the "
            "address that it prints."
        ) from error
    with client:
        _same_versions(client)
        futures = client.map(work, arguments, pure=False)
        try:
            for _, result in as_completed(futures, with_results=True):
                yield result
        except KilledWorker as error:
            raise RuntimeError(f"A trial killed {DEATHS} workers in turn: give them more memory. ({error})") from error


def _same_versions(client) -> None:
    """The same seeds give the same results only with the same packages."""
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError as error:
        raise RuntimeError(
            f"Expected at least one worker, got none in {ANSWER_SECONDS} seconds: start `dask worker ADDRESS`."
        ) from error
    ours = versions()
    for worker, theirs in client.run(versions).items():
        if odd := [f"{name} {theirs[name]}" for name in ours if theirs[name] != ours[name]]:
            raise RuntimeError(f"Expected the versions of this machine {ours}, got {', '.join(odd)} at {worker}: "
                               "install the same requirements.txt there.")  # fmt: skip


def versions() -> dict[str, str]:
    """What decides on a trial's numbers besides its config."""
    from importlib.metadata import version

    return {package: version(package) for package in ("tlcourse", "tensorflow", "keras", "numpy")}
