"""Sweeps: each trial runs once, whatever is stopped when, and the file does not depend on who finished first."""

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter

import pandas as pd
import pytest

from tlcourse import experiments
from tlcourse.workshop import executors, sweeps

TRIAL = """
import os, pathlib

HERE = pathlib.Path(__file__).parent
CONFIGS = [{"rate": rate, "kind": kind} for rate in (1e-5, 0.5, 10) for kind in ("plain", "with, comma")]

def trial(config):
    with open(HERE / "ran.txt", "a") as file:
        file.write(f"{config['rate']} {config['kind']} {config['seed']}\\n")
    if (HERE / "die").exists() and (config["seed"], config["rate"]) == (2, 0.5):
        os._exit(9)
    return [{"epoch": epoch, "loss": config["rate"] * epoch + config["seed"] / 3} for epoch in (0, 1, 2)]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one experiment, "toy", run in this process; what ran is noted in `ran.txt`."""
    (tmp_path / "toy.py").write_text(TRIAL)

    def here(work, arguments, *, jobs):
        yield from map(work, arguments)

    monkeypatch.setattr(executors, "locally", here)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path)])
    forget()
    yield tmp_path
    forget()


def forget():
    """What a new process would not know yet."""
    sys.modules.pop(f"{experiments.__name__}.toy", None)
    sweeps._loaded_code.cache_clear()


def rewrite(place, old: str, new: str):
    """Change the experiment's code."""
    text = (place / "toy.py").read_text()
    assert old in text
    (place / "toy.py").write_text(text.replace(old, new))
    forget()


def ran(place) -> Counter:
    path = place / "ran.txt"
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def whole(place, seeds) -> str:
    """The file of a sweep that nothing happened to."""
    sweeps.run("toy", seeds, folder=place / "whole")
    (place / "ran.txt").unlink()
    return (place / "whole" / "toy.csv").read_text()


def test_every_config_runs_once_with_every_seed(place):
    table = sweeps.run("toy", range(3), folder=place)
    assert len(ran(place)) == 3 * 6 and set(ran(place).values()) == {1}
    assert len(table) == 3 * 6 * 3
    row = table[(table.rate == 0.5) & (table.kind == "with, comma") & (table.seed == 2) & (table.epoch == 1)]
    assert row.loss.item() == pytest.approx(0.5 + 2 / 3, abs=1e-4)
    assert set(table.numpy) == {__import__("numpy").__version__}


def test_replaying_runs_nothing_and_returns_the_same(place):
    first = sweeps.run("toy", range(3), folder=place)
    kept = (place / "toy.csv").read_bytes()
    again = sweeps.run("toy", range(3), folder=place)
    assert set(ran(place).values()) == {1}
    pd.testing.assert_frame_equal(again, first)
    assert (place / "toy.csv").read_bytes() == kept


def test_more_seeds_later_are_the_same_as_at_once(place):
    expected = whole(place, range(12))
    for seeds in ([11, 3], range(5), range(12)):
        sweeps.run("toy", seeds, folder=place)
    assert (place / "toy.csv").read_text() == expected
    assert set(ran(place).values()) == {1}


def test_a_small_rate_is_not_rounded_away(place):
    assert set(sweeps.run("toy", [0], folder=place).rate) == {1e-5, 0.5, 10}


def test_who_finishes_first_does_not_matter(place, monkeypatch):
    expected = whole(place, range(4))
    monkeypatch.setattr(executors, "locally", lambda work, arguments, jobs: (work(a) for a in arguments[::-1]))
    sweeps.run("toy", range(4), jobs=2, folder=place)
    assert (place / "toy.csv").read_text() == expected


def test_a_killed_sweep_goes_on_where_it_was(place):
    expected = whole(place, range(3))
    (place / "die").touch()
    code = """
        import pathlib, sys
        from tlcourse import experiments
        from tlcourse.workshop import executors, sweeps
        experiments.__path__.append(sys.argv[1])
        executors.locally = lambda work, arguments, jobs: (work(each) for each in arguments)
        sweeps.run("toy", range(3), folder=pathlib.Path(sys.argv[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(place)]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 9
    (place / "die").unlink()
    assert 0 < len(ran(place)) < 18
    sweeps.run("toy", range(3), folder=place)
    assert (place / "toy.csv").read_text() == expected
    assert ran(place)["0.5 plain 2"] == 2  # the one that was running when it died, and no other
    assert Counter(ran(place).values()) == {1: 17, 2: 1}


@pytest.mark.parametrize("keep", [0, 1, 40, -1, -2, -300])
def test_a_torn_last_line_costs_that_trial_alone(place, keep):
    """Cut anywhere in the last trial's line, even right behind one of its rows, that trial is run again, whole."""
    expected = whole(place, [0])

    def interrupted(config):
        if config["rate"] == 10:
            raise KeyboardInterrupt
        return toy(config)

    module = sweeps._module("toy")
    toy, module.trial = module.trial, interrupted
    with pytest.raises(KeyboardInterrupt):
        sweeps.run("toy", [0], folder=place)
    module.trial = toy
    journal = place / "toy.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:keep])
    sweeps.run("toy", [0], folder=place)
    assert (place / "toy.csv").read_text() == expected
    assert Counter(ran(place).values()) == {1: 5, 2: 1} and ran(place)["0.5 with, comma 0"] == 2


DEATHS = """
import itertools, os, pathlib, signal, sys
from tlcourse import experiments
from tlcourse.workshop import executors, sweeps

here = pathlib.Path(sys.argv[1])
experiments.__path__.append(str(here))
executors.locally = lambda work, arguments, jobs: (work(each) for each in arguments)
fsync, replace, syncs = os.fsync, os.replace, itertools.count(1)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def half_a_line(handle):
    if next(syncs) == 8:
        os.ftruncate(handle, os.fstat(handle).st_size - 40)
        die()


deaths = {
    "half a line": {"fsync": half_a_line},
    "a line not yet on disk": {"fsync": lambda handle: next(syncs) == 8 and die()},
    "the table not yet on disk": {"fsync": lambda handle: next(syncs) == 19 and die()},
    "the table not yet in place": {"replace": lambda *paths: die()},
    "the journal not yet gone": {"replace": lambda *paths: (replace(*paths), die())},
}
for number, death in enumerate(deaths.values()):
    child = os.fork()
    if not child:
        vars(os).update(death)
        sweeps.run("toy", range(3), folder=here / str(number))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forked, so that Python starts once for all deaths")
def test_killed_in_any_phase_of_its_writing_a_sweep_goes_on(place):
    expected = whole(place, range(3))
    subprocess.run([sys.executable, "-c", DEATHS, str(place)], stdout=subprocess.DEVNULL, check=True)
    kept = []
    for number in range(5):
        (place / "ran.txt").unlink(missing_ok=True)
        sweeps.run("toy", range(3), folder=place / str(number))
        assert (place / str(number) / "toy.csv").read_text() == expected
        assert not (place / str(number) / "toy.journal").exists() and set(ran(place).values()) <= {1}
        kept.append(18 - len(ran(place)))
    assert kept == [7, 8, 18, 18, 18]


@pytest.mark.parametrize("room", [200, 1000])
def test_on_a_full_disk_a_sweep_stops_and_goes_on_when_there_is_room(place, monkeypatch, room):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(sweeps, "track", lambda results, **_: results)  # what it shows goes to a file here
    expected = whole(place, [0])
    rows = pd.read_csv(place / "whole" / "toy.csv", dtype=str).to_dict("records")
    trials = [json.dumps(rows[i : i + 3]) + "\n" for i in range(0, 18, 3)]
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for journal in (trials[:0], trials):  # first the journal is refused, then, with a whole journal, the table
        (place / "toy.journal").write_text("".join(journal))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
            with pytest.raises(OSError, match="File too large"):
                sweeps.run("toy", [0], folder=place)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert not (place / "toy.csv").exists() and len(ran(place)) <= 2
    before = ran(place)
    sweeps.run("toy", [0], folder=place)
    assert (place / "toy.csv").read_text() == expected and ran(place) == before


def test_a_trial_that_fails_says_so_and_keeps_the_others(place):
    module = sweeps._module("toy")
    whole_trial = module.trial

    def failing(config):
        if config["rate"] == 10:
            raise ValueError("no such rate")
        return whole_trial(config)

    module.trial = failing
    with pytest.raises(ValueError, match="no such rate"):
        sweeps.run("toy", [0], folder=place)
    module.trial = whole_trial
    assert len(sweeps.run("toy", [0], folder=place)) == 18 and set(ran(place).values()) == {1}


def test_what_is_no_experiment_is_refused_with_the_list(place):
    with pytest.raises(ValueError, match="toy.*got 'nothing'"):
        sweeps.run("nothing", range(3), folder=place)
    with pytest.raises(ValueError, match="at least one seed"):
        sweeps.run("toy", [], folder=place)


@pytest.mark.parametrize("name", sweeps.names())
def test_every_experiment_has_flat_configs_of_one_shape(name):
    configs = sweeps._module(name).CONFIGS
    assert configs and all(config.keys() == configs[0].keys() for config in configs)
    assert all(isinstance(value, (str, int, float)) for config in configs for value in config.values())
    assert len({json.dumps(config) for config in configs}) == len(configs)
    assert "seed" not in configs[0]
