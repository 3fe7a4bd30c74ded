"""A recorded table says which code made it and whether it is whole; what is not is refused, or run again."""

import json
import os
import subprocess
import sys
import time

import pandas as pd
import psutil
import pytest
from filelock import FileLock
from test_sweeps import place, ran, rewrite, whole  # noqa: F401 - a fixture

from tlcourse.__main__ import main
from tlcourse.material import assets, data
from tlcourse.material.assets import AssetError
from tlcourse.material.data import tables
from tlcourse.workshop import executors, recordings, sweeps

pytestmark = pytest.mark.usefixtures("place")
# Rows from before they knew their code; a digest they have. `zoo` stays so: the weights of two of its three networks
# are not in the course. The others were made with several threads, and do not come out equal with one: each waits for a
# new recording, and then has to leave this list.
UNSTAMPED = {
    *("batch_norm", "distillation_ensemble", "distillation_steps", "freeze_depth", "race", "zoo"),
}


@pytest.fixture
def table(place, monkeypatch):  # noqa: F811
    """The path of a recorded table of three seeds."""
    monkeypatch.setattr(assets, "DATA", place)
    sweeps.run("toy", range(3))
    (place / "ran.txt").unlink()
    return place / "recorded" / "toy.csv"


# The code.


@pytest.mark.parametrize("name", sorted(path.stem for path in (assets.DATA / "recorded").glob("*.csv")))
def test_a_committed_table_was_made_by_the_present_code(name):
    if name in UNSTAMPED:
        assert "code" not in data.recorded(name)
        assert all(row["digest"] for row in tables.rows_of(assets.DATA / "recorded" / f"{name}.csv"))
        return
    assert set(data.recorded(name).code) == {sweeps.code_of(name)}, f"python -m tlcourse sweep {name} --verify 3"


def test_rows_of_other_code_are_refused_with_the_two_ways_out(place, table):  # noqa: F811
    before = table.read_bytes()
    rewrite(place, "/ 3", "/ 4")
    with pytest.raises(ValueError, match=r"present code c\w{11} in .*toy.csv, got some of c\w{11}.*--verify 3.*--anew"):
        sweeps.run("toy", range(4))
    assert table.read_bytes() == before and not ran(place)


def test_verified_equal_is_stamped(place, table):  # noqa: F811
    old = data.recorded("toy")
    rewrite(place, '"epoch": epoch, "loss": ', '"epoch": epoch, "loss": 0 + ')
    assert sweeps.verify("toy", 3) == 3
    new = data.recorded("toy")
    assert sum(ran(place).values()) == 3
    assert set(new.code) == {sweeps.code_of("toy")} and not set(new.code) & set(old.code)
    pd.testing.assert_frame_equal(new.drop(columns="code"), old.drop(columns="code"))
    sweeps.run("toy", range(3))
    assert sum(ran(place).values()) == 3


def test_verified_otherwise_says_where_and_changes_nothing(place, table, capsys):  # noqa: F811
    before = table.read_bytes()
    rewrite(place, "/ 3", "/ 3 + 1e-3 * (epoch == 1)")
    assert main(["sweep", "toy", "--verify", "2"]) == 2
    said = capsys.readouterr().err
    assert "toy does not come out as recorded with {'rate'" in said and "in its row 2 loss is recorded as" in said
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    "edit", [("(0, 1, 2)", "(0, 1)"), ('"loss"', '"gain"'), ("return [", "raise ValueError\n    [")]
)
def test_other_rows_are_not_equal(place, table, edit):  # noqa: F811
    rewrite(place, *edit)
    with pytest.raises(ValueError, match="does not come out as recorded"):
        sweeps.verify("toy", 1)


def test_a_clock_is_not_compared(place, monkeypatch):  # noqa: F811
    rewrite(place, '"epoch": epoch,', '"epoch": epoch, "seconds": __import__("time").perf_counter(),')
    sweeps.run("toy", [0], folder=place)
    with pytest.raises(ValueError, match="seconds is recorded"):
        sweeps.verify("toy", 1, folder=place)
    rewrite(place, "CONFIGS", 'CLOCKED = ("seconds",)\nCONFIGS')
    assert sweeps.verify("toy", 2, folder=place) == 2


def test_of_a_mixed_table_each_code_is_verified(place, table):  # noqa: F811
    text = table.read_text()
    table.write_text(text.replace(sweeps.code_of("toy"), "c00000000000", 9))
    with pytest.raises(AssetError, match=r"one version of the experiment in .* got rows of 2 \(c00000000000, c"):
        data.recorded("toy")
    with pytest.raises(ValueError, match="got some of c00000000000"):
        sweeps.run("toy", range(3))
    assert sweeps.verify("toy", 2) == 4
    assert table.read_text() == text


def test_a_table_from_before_there_were_hashes_is_stamped_too(place, table):  # noqa: F811
    expected = data.recorded("toy")
    pd.read_csv(table, dtype=str).drop(columns=["code", "digest"]).to_csv(table, index=False)
    assert len(data.recorded("toy")) == 54
    with pytest.raises(ValueError, match="got some of unknown code"):
        sweeps.run("toy", range(3))
    sweeps.verify("toy", 1)
    pd.testing.assert_frame_equal(data.recorded("toy"), expected, check_like=True)
    assert {row["digest"][0] for row in tables.rows_of(table)} == {"d"}


def test_anew_sets_the_old_aside_once(place, table, capsys):  # noqa: F811
    before = table.read_bytes()
    rewrite(place, "/ 3", "/ 4")
    assert main(["sweep", "toy", "--seeds", "1", "--anew"]) == 0
    assert (table.parent / "toy.csv.old").read_bytes() == before and len(data.recorded("toy")) == 18
    assert main(["sweep", "toy", "--seeds", "2", "--anew"]) == 2
    assert "toy.csv.old, which an earlier --anew left" in capsys.readouterr().err
    assert len(data.recorded("toy")) == 18


def test_a_worker_with_other_code_records_nothing(place, monkeypatch):  # noqa: F811
    sentence = r"expected the code c\w{11}, got c0: bring the worker to the same commit"
    with monkeypatch.context() as patch, pytest.raises(ValueError, match=sentence):
        patch.setattr(sweeps, "_loaded_code", lambda name: "c0")
        sweeps.run("toy", [0], folder=place)
    assert not (place / "toy.csv").exists() and not (place / "toy.journal").exists()


# The files.


def test_a_spreadsheet_s_numbers_do_not_run_a_trial_twice(place, table):  # noqa: F811
    text = table.read_text()
    table.write_text(text.replace("\n1e-05,", "\n1.00E-05,").replace("\n10,", "\n10.0,"))
    assert len(sweeps.run("toy", range(3))) == 54 and not ran(place)
    assert data.recorded("toy").rate.tolist() == pd.read_csv(table).rate.tolist()


@pytest.mark.parametrize("lines", [1, 2, 3, 4])
def test_a_table_cut_inside_a_trial_runs_it_again(place, table, lines):  # noqa: F811
    text = table.read_text()
    table.write_text("".join(text.splitlines(keepends=True)[:-lines]))
    if lines != 3:  # else a whole trial is gone, and nobody can see that
        with pytest.raises(AssetError, match=r"1 trials in .*toy.csv are not as they were recorded: `git restore`"):
            data.recorded("toy")
    sweeps.run("toy", range(3))
    assert table.read_text() == text and sum(ran(place).values()) == 1 + (lines > 3)


@pytest.mark.parametrize(("old", "new"), [(",0.3333,", ",0.3334,"), ("\n0.5,plain,1,0", "\n0.5,plain,1,7"), ("-", "–")])
def test_a_changed_digit_is_refused_and_never_stamped(place, table, old, new):  # noqa: F811
    text = table.read_text()
    assert old in text
    table.write_text(text.replace(old, new, 1))
    with pytest.raises(AssetError, match="1 trials in .*toy.csv are not as they were recorded"):
        data.recorded("toy")
    with pytest.raises(RuntimeError, match="as it was recorded, got it changed"):
        sweeps.verify("toy", 3)
    sweeps.run("toy", range(3))
    assert table.read_text() == text


def test_a_changed_digit_is_refused_where_the_code_is_not_known(place, table):  # noqa: F811
    pd.read_csv(table, dtype=str).drop(columns="code").to_csv(table, index=False)
    assert len(data.recorded("toy")) == 54
    table.write_text(table.read_text().replace(",0.3333,", ",0.3334,", 1))
    with pytest.raises(AssetError, match="1 trials in .*toy.csv are not as they were recorded"):
        data.recorded("toy")


def test_rows_that_a_merge_doubled_are_noticed(place, table):  # noqa: F811
    text = table.read_text()
    table.write_text(text + "".join(text.splitlines(keepends=True)[1:4]))
    with pytest.raises(AssetError, match="1 trials"):
        data.recorded("toy")
    assert len(sweeps.run("toy", range(3))) == 54


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"rate,seed\n<<<<<<< HEAD\n1,2\n=======\n1,3\n>>>>>>> other\n", "conflict markers"),
        (b"", "empty file"),
        (b"\xff\xfe\x00", "comma-separated values"),
        (b"rate,kind,seed\n1,plain\n", "as many values in line 2"),
        (b"rate,kind,seed\n1,plain,2,3\n", "as many values in line 2"),
        (b'rate,kind,seed\n1,"plain,2\n', "comma-separated values"),
    ],
)
def test_what_is_no_table_is_one_sentence_with_its_name(place, table, content, sentence, capsys):  # noqa: F811
    table.write_bytes(content)
    with pytest.raises(AssetError, match=sentence):
        data.recorded("toy")
    assert main(["sweep", "toy"]) == 2
    said = capsys.readouterr().err
    assert sentence in said and str(table) in said and said.count("\n") == 1 and table.read_bytes() == content


@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", os.mkdir)])
def test_what_is_no_file_is_not_opened(place, table, make):  # noqa: F811
    table.unlink()
    make(table)
    with pytest.raises(AssetError, match=r"Expected a table in .*toy.csv, got no file"):
        data.recorded("toy")


def test_a_table_of_other_settings_is_one_sentence(place, table):  # noqa: F811
    table.write_text("rate,seed,loss\n1,2,3\n")
    with pytest.raises(RuntimeError, match=r"toy.csv to say kind of each trial, as toy does now: start over"):
        sweeps.run("toy", range(3))


@pytest.mark.parametrize("line", ["{}", "[]", "[1]", "no json", '[{"rate": 1}]', '[{"rate": "1"}]'])
def test_a_journal_of_something_else_is_one_sentence_with_its_name(place, line):  # noqa: F811
    (place / "toy.journal").write_text(line + "\n")
    with pytest.raises(RuntimeError, match=r"toy\.journal"):
        sweeps.run("toy", [0], folder=place)
    assert (place / "toy.journal").read_text() == line + "\n" and not ran(place)


def test_a_torn_line_is_cut_off_without_writing_the_rest_again(place, monkeypatch):  # noqa: F811
    """A full disk, or a kill, in the middle of a rewrite would lose every trial that is not in the table yet."""
    expected = whole(place, [0])
    trials = [json.dumps(trial.to_dict("records")) for _, trial in pd.read_csv(place / "whole" / "toy.csv", dtype=str)
              .groupby("digest", sort=False)]  # fmt: skip
    journal = place / "toy.journal"
    journal.write_text("\n".join(trials)[:-7])
    inode, opened = journal.stat().st_ino, []
    monkeypatch.setattr(type(journal), "write_bytes", lambda *_: pytest.fail("written anew"))
    monkeypatch.setattr(recordings, "open", lambda *words, **more: opened.append(words) or open(*words, **more),
                        raising=False)  # fmt: skip
    truncate = os.truncate

    def interrupted(*words):
        truncate(*words)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "truncate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweeps.run("toy", [0], folder=place)
    assert journal.read_text().splitlines() == trials[:-1] and journal.stat().st_ino == inode and not opened
    monkeypatch.setattr(os, "truncate", truncate)
    sweeps.run("toy", [0], folder=place)
    assert (place / "toy.csv").read_text() == expected and sum(ran(place).values()) == 1


def test_the_table_is_on_disk_before_the_journal_goes(place, monkeypatch):  # noqa: F811
    done = []
    for name in ("fsync", "replace", "unlink"):
        before = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *words, name=name, before=before: (done.append(name), before(*words))[1])
    sweeps.run("toy", [0], folder=place)
    assert done[:6] == ["fsync"] * 6, "one for each of six trials"
    assert [name for name in done[6:] if name != "unlink"][:2] == ["fsync", "replace"] and done[-1] == "unlink"


# What is asked for.


@pytest.mark.parametrize("returned", ["[]", "None", "[1]", "{'loss': 1}"])
def test_a_trial_without_rows_is_refused(place, returned):  # noqa: F811
    rewrite(place, "return [", f"return {returned}\n    [")
    with pytest.raises(ValueError, match="6 of 6 trials failed.*expected a list of one or more rows, each a dict, got"):
        sweeps.run("toy", [0], folder=place)


def test_too_many_seeds_are_refused_at_once(place, capsys):  # noqa: F811
    assert main(["sweep", "toy", "--seeds", str(10**9)]) == 2
    assert "at most 100,000 trials, got 1000000000 seeds" in capsys.readouterr().err
    assert main(["sweep", "toy", "--seeds", "-1"]) == 2
    assert "Expected at least one seed" in capsys.readouterr().err


# Two at once, and what is left of a sweep that is ended. Real processes: they find the experiment through their path.


@pytest.fixture
def outside(place):  # noqa: F811
    """Starts `python -m tlcourse sweep toy …` in a process of its own, its table in `place`."""
    begin = f"from tlcourse import experiments\nexperiments.__path__.append({str(place)!r})\n"
    (place / "sitecustomize.py").write_text(begin)
    paths = [str(place), *filter(None, [os.environ.get("PYTHONPATH")]), str(sweeps.assets.DATA.parent)]
    environment = os.environ | {"TLCOURSE_DATA": str(place), "PYTHONPATH": os.pathsep.join(paths)}
    started = []

    def start(*words):
        command = [sys.executable, "-m", "tlcourse", "sweep", "toy", *words]
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        text=True))  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def until(true):
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it never happened")


def test_a_second_sweep_of_one_name_says_so_and_ends(place, outside):  # noqa: F811
    (place / "recorded").mkdir()
    with FileLock(place / "recorded" / "toy.lock"):
        second = outside()
        assert second.stderr.read() == "tlcourse: Another sweep of toy is running: let it end, or stop it.\n"
        assert second.wait() == 2 and not ran(place)


def test_the_one_job_too_is_a_process_of_one_thread(place, outside):  # noqa: F811
    names = ", ".join(f'"{name}": os.environ.get("{name}")' for name in executors.ONE_THREAD)
    rewrite(place, '"epoch": epoch,', f'"epoch": epoch, "pid": os.getpid(), {names},')
    sweep = outside("--seeds", "1", "--jobs", "1")
    assert sweep.wait() == 0 and sum(ran(place).values()) == 6
    rows = pd.read_csv(place / "recorded" / "toy.csv")
    assert (rows[[*executors.ONE_THREAD]] == 1).all(axis=None) and sweep.pid not in set(rows.pid)


def test_no_worker_outlives_its_sweep(place, outside):  # noqa: F811
    rewrite(
        place,
        "    return [",
        """    (HERE / f"{os.getpid()}.pid").touch()
    __import__("time").sleep(300)
    return [""",
    )
    sweep = outside("--jobs", "2")
    until(lambda: len(list(place.glob("*.pid"))) == 2)
    workers = [psutil.Process(int(path.stem)) for path in place.glob("*.pid")]
    sweep.kill()
    sweep.wait()
    until(lambda: not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers))
