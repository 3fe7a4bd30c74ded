"""The command line: `python -m tlcourse --help`."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tlcourse import __version__

# Each command imports what it needs when it is called: help is instant, and `doctor` runs where packages are missing.


def _path(text: str) -> Path:
    """A path that was typed; an empty one, which a shell makes of an unset variable, would be the current folder."""
    if not text.strip():
        raise ValueError(
            "Expected the name of a folder or a file, got an empty one: name it (. is the current folder)."
        )
    return Path(text)


def _fetch(arguments: argparse.Namespace) -> int:
    from tlcourse.material.assets import fetching

    fetching.fetch(arguments.names or None)
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import doctor

    return doctor.report(doctor.examine())


def _start(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import start

    said = start.hand_out(arguments.numbers, fresh=arguments.fresh)
    print("\n".join([*said, f"Your copy of the course is in {start.WORK}."]))
    return 0


def _lab(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import start

    return start.lab()


def _run(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import notebooks

    return notebooks.run_all(arguments.numbers, check=arguments.check, twice=arguments.twice, states=arguments.states)


def _sweep(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import recordings, sweeps

    where = {"jobs": arguments.jobs, "scheduler": arguments.scheduler}
    if arguments.verify is not None:
        count = sweeps.verify(arguments.name, arguments.verify, **where)
        print(f"{arguments.name}: {count} trials came out as recorded; the table is stamped with the present code.")
        return 0
    if arguments.anew:
        recordings.set_aside(sweeps.path_of(arguments.name))
    table = sweeps.run(arguments.name, range(arguments.seeds), **where)
    print(f"{arguments.name}: {len(table)} rows are recorded.")
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import bench

    bench.report(bench.measure(), as_json=arguments.json)
    return 0


def _scoreboard(arguments: argparse.Namespace) -> int:
    from tlcourse.classroom import scoreboard

    print(scoreboard.as_json() if arguments.json else scoreboard.as_text())
    return 0


def _release(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import release

    written = release.release(_path(arguments.folder))
    print(f"{len(written)} notebooks without solutions are in {arguments.folder}.")
    return 0


def _class(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import class_page

    folder = _path(arguments.folder)
    to = folder / "class.html" if arguments.to is None else _path(arguments.to)
    room = class_page.write(folder, to)
    troubles = sum(len(student.troubles) for student in room)
    print(f"{len(room)} folders, {troubles} things that could not be read; the page is {to}.")
    return 0


def _slides(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import presenting

    if arguments.notes:
        presenting.write_notes(arguments.number, arguments.notes)
    if arguments.pdf:
        presenting.write_pdf(arguments.number, arguments.pdf)
    return 0 if arguments.notes or arguments.pdf else presenting.present(arguments.number)


def _site(arguments: argparse.Namespace) -> int:
    from tlcourse.workshop import site

    folder = site.OUT if arguments.folder is None else _path(arguments.folder)
    print(f"The site's first page is {site.build(folder)}.")
    return site.serve(folder) if arguments.serve else 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="python -m tlcourse", description="The transfer-learning course.")
    top.add_argument("--version", action="version", version=f"tlcourse {__version__}")
    top.add_argument("--traceback", action="store_true", help="on an error, show where it came from")
    commands = top.add_subparsers(metavar="command", required=True)

    def command(name: str, action: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        made.set_defaults(action=action)
        return made

    command("fetch", _fetch, "download and verify what does not come with the course").add_argument(
        "names", nargs="*", help="assets; default: all"
    )
    command("doctor", _doctor, "look at everything that the course needs, and say what mends it")
    start = command("start", _start, "copy chapters to work/ where you have none yet; what you changed stays yours")
    start.add_argument("numbers", nargs="*", metavar="NN", help="chapters, such as 02; default: all")
    start.add_argument("--fresh", action="store_true", help="begin them anew; what you had stays under another name")
    command("lab", _lab, "start, and open JupyterLab on your copy of the first chapter")
    run = command("run", _run, "execute notebooks in place, and hold time and memory to the budgets")
    run.add_argument("numbers", nargs="*", metavar="NN", help="chapters, such as 02; default: all")
    kept = run.add_mutually_exclusive_group()
    kept.add_argument("--check", action="store_true", help="write nothing; say whose output has changed")
    kept.add_argument("--twice", action="store_true", help="as --check, and run each cell twice before the next")
    kept.add_argument("--states", action="store_true", help="write only what the site's controls show")
    sweep = command("sweep", _sweep, "record an experiment over seeds; what is finished is kept")
    sweep.add_argument("name", metavar="NAME", help="a module of tlcourse/experiments")
    sweep.add_argument("--seeds", type=int, default=10, help="how many (default: %(default)s)")
    older = sweep.add_mutually_exclusive_group()
    older.add_argument("--verify", type=int, metavar="N", help="run N recorded trials again; if they come out equal, "
                       "stamp the table with the present code")  # fmt: skip
    older.add_argument("--anew", action="store_true", help="set what is recorded aside, and start over")
    place = sweep.add_mutually_exclusive_group()
    place.add_argument("--jobs", type=int, default=1, help="processes at a time (default: %(default)s)")
    place.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster's, such as tcp://10.0.0.5:8786")
    bench = command("bench", _bench, "measure extraction, memory, a probe against the guide's loop, and the start")
    bench.add_argument("--json", action="store_true", help="print JSON")
    board = command("scoreboard", _scoreboard, "show every claim: published against measured")
    board.add_argument("--json", action="store_true", help="print JSON")
    release = command("release", _release, "copy the course without its solutions, for graded work")
    release.add_argument("folder", metavar="DIR", help="a new folder")
    room = command("class", _class, "make one page of what a room guessed, answered and misunderstood")
    room.add_argument("folder", metavar="FOLDER", help="holds a folder for each student: a copy of work/")
    room.add_argument("--to", metavar="FILE", help="the page; default: class.html in that folder")
    slides = command("slides", _slides, "show a chapter as live slides in JupyterLab")
    slides.add_argument("number", nargs="?", default="00", metavar="NN", help="the chapter; default: 00")
    to_file = {"nargs": "?", "const": Path(), "type": Path, "metavar": "FILE"}
    slides.add_argument("--pdf", **to_file, help="write the slides as a PDF instead, for a projector without Python")
    slides.add_argument("--notes", **to_file, help="write the speaker's notes instead, as a page to print")
    site = command("site", _site, "build the course as a web site, to be read without Python")
    site.add_argument("folder", nargs="?", metavar="FOLDER", help="where to; default: build/site")
    site.add_argument("--serve", action="store_true", help="then show it in a browser, on this machine")
    return top


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, 1 where something was found wrong, 2 where the command could not be carried out.
    """
    for stream in (sys.stdout, sys.stderr):  # a console of another encoding shows "?" instead of failing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments = parser().parse_args(words)
    try:
        return arguments.action(arguments)
    except BrokenPipeError:  # `tlcourse … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (RuntimeError, ValueError, OSError, ImportError) as problem:
        if arguments.traceback:
            raise
        full = getattr(problem, "errno", None) in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        advice = "Expected room on the disk, got none: make some, then give the command again."
        print(f"tlcourse: {advice if full else problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tlcourse: stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
