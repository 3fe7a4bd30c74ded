"""Where a sweep's trials run: in processes of this machine, or on a Dask cluster by its address.

Both take a function and its arguments, give results as they come, and run what a worker took with it when it died once
more on another one. Neither knows what a trial is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

DEATHS = 3  # workers that may die before it must be the trials that kill them
ANSWER_SECONDS = 30


def locally(work: Callable, arguments: Sequence, *, jobs: int) -> Iterator:
    """Results of `work(argument)` in the order in which they are finished, in so many processes (joblib).

    Raises:
        RuntimeError: processes keep dying, most likely for want of memory.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    waiting, deaths = dict(enumerate(arguments)), 0

    while waiting:
        numbered = [delayed(_numbered)(work, i, argument) for i, argument in waiting.items()]
        try:
            for i, result in Parallel(n_jobs=jobs, return_as="generator_unordered")(numbered):
                del waiting[i]
                yield result
        except TerminatedWorkerError as error:
            deaths += 1
            if deaths > DEATHS:
                raise RuntimeError(
                    f"Expected workers that live, but {deaths} died, with {len(waiting)} trials to go: use fewer jobs, "
                    "for each takes its own memory."
                ) from error


def _numbered(work: Callable, i: int, argument):
    return i, work(argument)


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
