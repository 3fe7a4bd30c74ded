"""The command line answers with one sentence and a status, whatever it is asked."""

import functools
import io
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tlcourse.__main__ import main
from tlcourse.material import assets
from tlcourse.workshop import bench, doctor, lockfile


def tlcourse(*words, **options):
    return subprocess.run([sys.executable, "-m", "tlcourse", *words], capture_output=True, text=True, **options)


def test_help_names_every_command():
    done = tlcourse("--help")
    assert done.returncode == 0
    for command in ("fetch", "doctor", "run", "sweep", "bench", "scoreboard", "release", "class", "slides"):
        assert f"\n    {command} " in done.stdout or f"\n    {command}\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fetch", "nothing"], "There is no asset 'nothing'"),
        (["run", "77"], "There is no notebook"),
        (["slides", "77"], "There is no notebook"),
        (["slides", "77", "--pdf"], "There is no notebook"),
        (["slides", "77", "--notes"], "There is no notebook"),
        (["class", "no/such/folder"], "Expected a folder with a folder for each student"),
        (["class", ""], "Expected the name of a folder or a file, got an empty one"),
        (["class", "no/such/folder", "--to", ""], "Expected the name of a folder or a file, got an empty one"),
        (["release", " "], "Expected the name of a folder or a file, got an empty one"),
        (["site", ""], "Expected the name of a folder or a file, got an empty one"),
        (["sweep", "nothing"], "Expected one of"),
        (["start", "77"], "There is no notebook"),
        (["start", "--fresh"], "Expected the chapters"),
    ],
)
def test_mistake_is_one_sentence_and_status_2(words, sentence, capsys):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("tlcourse: ") and said.count("\n") == 1


def test_traceback_is_there_for_who_wants_it():
    with pytest.raises(ValueError, match="There is no asset"):
        main(["--traceback", "fetch", "nothing"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no disk that is always full")
def test_a_full_disk_is_one_sentence():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tlcourse", "scoreboard"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    said = "tlcourse: Expected room on the disk, got none: make some, then give the command again.\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_unknown_command_is_status_2():
    assert tlcourse("dance").returncode == 2


# Doctor.


def test_doctor_finds_this_python_and_its_kernel(monkeypatch):
    # As if the lock named what is installed: `make newest` tests other versions.
    installed = [Requirement(f"{each.name}=={each.version}") for each in metadata.distributions()]
    monkeypatch.setattr(lockfile, "pins", lambda: installed)
    found = {finding.name: finding for finding in doctor.examine()}
    assert found["Python"].level == doctor.GOOD
    assert found["packages"].level == doctor.GOOD, found["packages"]
    assert found["Jupyter kernel"].level != doctor.STOP


def test_doctor_gives_a_command_for_every_problem(tmp_path):
    # A data folder with nothing in it: everything that comes from outside is missing.
    code = (
        "from tlcourse.workshop import doctor\n"
        "findings = [f for f in doctor.examine() if f.name.startswith('asset')]\n"
        "levels = {f.name: f.level for f in findings}\n"
        "assert {levels.pop('asset usps'), levels.pop('asset mathjax')} == {'note'}  # optional\n"
        "assert len(levels) > 3 and set(levels.values()) == {'stop'} and all(f.mend for f in findings), findings\n"
        "raise SystemExit(doctor.report(findings))"
    )
    environment = os.environ | {"TLCOURSE_DATA": str(tmp_path), "COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    assert "python -m tlcourse fetch" in done.stdout
    assert "would stop the course" in done.stdout


def test_doctor_sees_a_wrong_version(monkeypatch):
    true = doctor.metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "2.0" if name == "tensorflow" else true(name))
    (finding,) = [f for f in doctor.examine() if f.name == "tensorflow"]
    assert (finding.level, finding.mend) == (doctor.STOP, doctor.INSTALL)
    assert "2.0, needs" in finding.found


def test_doctor_sees_a_recorded_table_that_was_changed(monkeypatch, tmp_path):
    shutil.copytree(assets.DATA / "recorded", tmp_path / "recorded")
    monkeypatch.setattr(assets, "DATA", tmp_path)
    (good,) = doctor._recorded()
    (tmp_path / "recorded" / "race.csv").write_text("seed,digest\n1,d0\n", encoding="utf-8")
    (tmp_path / "recorded" / "zoo.csv").write_bytes(b"\xff")
    (bad,) = doctor._recorded()
    assert (good.level, bad.level, bad.found) == (doctor.GOOD, doctor.STOP, "changed: race.csv, zoo.csv")
    assert bad.mend == "git restore data/recorded"


def test_doctor_is_content_where_nobody_reads_on(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            if text:
                raise BrokenPipeError
            return 0

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):  # which the command line takes for an end, and not for a problem
        doctor.report([doctor.Finding("memory", doctor.GOOD, "8 GB")])


def test_doctor_runs_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert doctor.report([doctor.Finding("memory", doctor.STOP, "1 GB", "buy some")]) == 1
    assert "stop  memory: 1 GB -> buy some" in capsys.readouterr().out


def test_doctor_reports_a_look_that_fails(monkeypatch):
    def _disk():
        raise OSError("no such disk")

    monkeypatch.setattr(doctor, "_disk", _disk)
    (finding,) = [f for f in doctor.examine() if f.name == "disk"]
    assert (finding.level, finding.found) == (doctor.STOP, "OSError: no such disk")


# Benchmark: its counting, not its timing.


def test_pictures_that_lie_in_no_memory_are_the_same_each_time():
    stream = bench.Stream(6, 4)
    assert len(stream) == 6 and stream[2:5].shape == (3, 4, 4, 3)
    assert (stream[3] == stream[3:4][0]).all() and (stream[3] != stream[4]).any()


def test_the_benchmark_runs_whole_in_small(monkeypatch, capsys):
    """All but the race, which is an experiment and has its miniature; LiteRT computes the same features."""
    small = {"extraction": {"pictures": 4, "repeats": 1}, "memory": {"few": 4, "many": 8}, "start": {"repeats": 1}}
    monkeypatch.setattr(bench, "matmul_limit", lambda **_: 1e11)
    monkeypatch.setattr(bench.race, "race", lambda: {"guide_over_probe": 12.5})
    for part, options in small.items():
        monkeypatch.setattr(bench, part, functools.partial(getattr(bench, part), **options))
    assert main(["bench", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert list(results) == ["extraction", "memory", "race", "start"]
    assert all(value >= 0 for part in results.values() for value in part.values())
    assert results["extraction"]["litert_differs"] < 1e-3


def test_bench_report_is_json_or_tables(capsys):
    results = {
        "extraction": {"pictures_per_second": 100.0, "share_of_limit": 0.42},
        "race": {"guide_over_probe": 12.5},
    }
    bench.report(results, as_json=True)
    assert json.loads(capsys.readouterr().out) == results
    bench.report(results)
    said = capsys.readouterr().out
    assert "42%" in said and "12.50" in said
