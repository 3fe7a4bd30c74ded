"""Sweeps on a real Dask cluster: equal to the serial run, though a worker is killed in the middle."""

import os
import re
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest
from test_sweeps import place, ran, whole  # noqa: F401 - a fixture

from tlcourse.workshop import executors, sweeps

SLOW = "\nbefore = trial\ndef trial(config):\n    import time\n    time.sleep(0.25)\n    return before(config)\n"
PRELOAD = "import sys\nfrom tlcourse import experiments\nexperiments.__path__ = [*experiments.__path__, {folder!r}]\n"


def start(folder, *words):
    log = open(folder / f"{words[0]}-{len(list(folder.glob('*.log')))}.log", "w")
    # Workers write `ran.txt` beside the experiment, so that what ran can be counted.
    return subprocess.Popen([sys.executable, "-m", "dask", *words], stdout=log, stderr=log, cwd=folder), log.name


@pytest.fixture
def cluster(place):  # noqa: F811
    """A scheduler and two workers on loopback, each a process of its own: `(address, workers)`."""
    (place / "preload.py").write_text(PRELOAD.format(folder=str(place)))
    scheduler, log = start(place, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
    processes = [scheduler]
    try:
        for _ in range(200):
            if found := re.search(r"(tcp://127\.0\.0\.1:\d+)", open(log).read()):
                break
            assert scheduler.poll() is None, open(log).read()
            time.sleep(0.1)
        address = found[1]
        worker = ("worker", address, "--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard")
        workers = [start(place, *worker, "--preload", str(place / "preload.py"))[0] for _ in range(2)]
        processes += workers
        yield address, workers
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_killed_worker_costs_nothing(place, cluster):  # noqa: F811
    whole(place, range(3))
    (place / "toy.py").write_text((place / "toy.py").read_text() + SLOW)
    address, workers = cluster

    def kill_one():
        while len(ran(place)) < 4:
            time.sleep(0.05)
        workers[0].kill()
        begun.append(sum(ran(place).values()))

    begun: list[int] = []
    killer = threading.Thread(target=kill_one)
    killer.start()
    sweeps.run("toy", range(3), scheduler=address, folder=place)
    killer.join()
    assert workers[0].wait(10) != 0 and workers[1].poll() is None
    results = (pd.read_csv(folder / "toy.csv").drop(columns="code") for folder in (place, place / "whole"))
    pd.testing.assert_frame_equal(*results)
    again = sum(ran(place).values()) - len(ran(place))
    assert len(ran(place)) == 18 and again <= begun[0], "only what the dead worker had begun, or not handed over yet"


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(executors, "ANSWER_SECONDS", 1)
    with pytest.raises(RuntimeError, match=r"scheduler at tcp://127\.0\.0\.1:9, got no answer: start `dask scheduler`"):
        list(executors.on_cluster(abs, [-1], scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(RuntimeError, match="scheduler at here, got no answer"):
        list(executors.on_cluster(abs, [-1], scheduler="here"))


def test_a_worker_of_this_machine_that_dies_is_replaced(tmp_path):
    results = executors.locally(DieOnce(tmp_path), range(6), jobs=2)
    assert sorted(results) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()


def test_workers_that_always_die_are_given_up():
    with pytest.raises(RuntimeError, match="4 died, with 2 trials to go: use fewer jobs"):
        list(executors.locally(os._exit, [9, 9], jobs=2))


def test_no_more_workers_than_trials(monkeypatch):
    from joblib.externals.loky import process_executor

    asked, before = [], process_executor.ProcessPoolExecutor.__init__

    def noted(self, most, **words):
        asked.append(most)
        before(self, most, **words)

    monkeypatch.setattr(process_executor.ProcessPoolExecutor, "__init__", noted)
    assert sorted(executors.locally(abs, [-1, -2, -3], jobs=24)) == [1, 2, 3] and asked == [3]
    with pytest.raises(ValueError, match="at least one job, got 0"):
        list(executors.locally(abs, [-1], jobs=0))


class DieOnce:
    """Squares numbers; the process that gets 3 first dies."""

    def __init__(self, folder):
        self.died = folder / "died"

    def __call__(self, x):
        if x == 3 and not self.died.exists():
            self.died.touch()
            os._exit(9)
        return x * x
