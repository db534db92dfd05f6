import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from imgclean.cli import app
from imgclean.errors import InputError, UsageError, WeightsError
from imgclean.progress import Messages
from imgclean.weights import locate

from .conftest import Make
from .test_streaks import scan, streaked

_COUNTS = ("files", "done", "clean", "skipped", "failed", "ignored")


def imgclean(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, piped."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "imgclean", *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env={**os.environ, **environment},
        check=False,
    )


def patched(patch: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own after some lines of Python."""
    code = (
        f"{patch}import sys\nsys.argv = {['imgclean', *arguments]!r}\n"
        "from imgclean.__main__ import main\nmain()\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["denoise", "--help"], ["train", "--help"], ["eval", "--help"], ["--version"]],
)
def test_help_imports_no_heavy_library(arguments: list[str]) -> None:
    """Help answers without torch, OpenCV, libvips or numpy."""
    code = (
        "import sys\n"
        f"sys.argv = ['imgclean', *{arguments!r}]\n"
        "from imgclean.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'torch', 'cv2', 'pyvips', 'numpy', 'PIL', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_path_in_place_of_a_command_gets_a_hint(tmp_path: Path) -> None:
    """As with tools that have one command; what is no path is named as ever."""
    folder = tmp_path / "my scans"
    folder.mkdir()
    done = imgclean(folder, "--out", "clean")
    assert done.returncode == 2
    words = done.stderr.split()
    assert " ".join(words[-7:]).endswith(f"imgclean denoise '{folder}' --out clean")
    assert "No such command 'clena'" in imgclean("clena").stderr


@pytest.mark.parametrize("command", ["train", "denoise", "eval"])
def test_ctrl_c_in_the_first_second_ends_the_run(tmp_path: Path, make: Make, command: str) -> None:
    """Also while numpy is imported, by torch at that, which forgets exceptions it runs into."""
    make(tmp_path / "in" / "a.png", 40, 30)
    rest = {"train": ["--data"], "denoise": [], "eval": ["--noisy"]}[command]
    done = patched(
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'numpy.linalg':\n"
        "            sys.meta_path.remove(self)\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Finder())\n",
        command, *rest, str(tmp_path / "in"), "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "interrupted" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_json_is_all_of_stdout(tmp_path: Path, make: Make, tiny: str) -> None:
    """--json prints one document with the promised fields, and --report the same to a file."""
    make(tmp_path / "in" / "a.png", 40, 30)
    (tmp_path / "in" / "b.png").write_bytes(b"")
    (tmp_path / "in" / "c.txt").write_text("")
    done = imgclean(
        "denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", tiny, "--json",
        "--report", tmp_path / "report.json", "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["files"] == json.loads((tmp_path / "report.json").read_text())["files"]
    summary = document["summary"]
    assert {k: summary[k] for k in _COUNTS} == {
        "files": 2, "done": 1, "clean": 0, "skipped": 0, "failed": 1, "ignored": 1,
    }  # fmt: skip
    assert summary["state"] == "finished"
    assert summary["device"] == "cpu" and summary["precision"] in ("fp32", "bf16")
    assert set(summary) >= {"megapixels", "seconds"}
    good, bad = document["files"]
    assert set(good) == {
        "source", "target", "status", "model", "models", "width", "height", "pages", "sigma",
        "seconds", "error", "kept", "streaks", "damaged", "unsure", "reason",
    }  # fmt: skip
    assert (good["width"], good["height"], good["pages"]) == (40, 30, 1)
    assert good["source"] == str(tmp_path / "in" / "a.png") and good["error"] is None
    assert bad["status"] == "failed" and "b.png" in bad["error"]


def test_names_survive_json(tmp_path: Path, make: Make, tiny: str) -> None:
    """A name that is not valid UTF-8 comes back from JSON byte for byte."""
    clear = make(tmp_path / "plain.png")
    (tmp_path / "in").mkdir()
    name = os.fsencode(tmp_path / "in") + b"/\xff\xe9.png"
    clear.rename(os.fsdecode(name))
    done = imgclean(
        "denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", tiny, "--json"
    )
    assert done.returncode == 0, done.stderr
    assert os.fsencode(json.loads(done.stdout)["files"][0]["source"]) == name


def test_piped_output_is_plain(tmp_path: Path, make: Make, tiny: str) -> None:
    """In a pipe there are no control codes, one line a thing, nothing on standard output."""
    make(tmp_path / "in" / "a\n[red]b.png")
    done = imgclean("denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", tiny)
    assert done.returncode == 0 and done.stdout == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stderr)
    assert "a\\n[red]b.png" in done.stderr
    quiet = imgclean("denoise", tmp_path / "in", "-o", tmp_path / "out", "--model", tiny, "-q")
    assert quiet.returncode == 0 and quiet.stdout == quiet.stderr == ""


def test_a_folder_named_as_an_image(tmp_path: Path, make: Make, tiny: str) -> None:
    """Whoever means a file learns that --out is a folder, in a dry run too."""
    source = make(tmp_path / "a.png")
    for out, told in ((tmp_path / "b.png", True), (tmp_path / "b", False)):
        done = imgclean("denoise", source, "--out", out, "--model", tiny, "--dry-run")
        assert done.returncode == 0
        assert (f"--out {out}: is a folder" in done.stderr.replace("\n", " ")) == told


def test_streaks_are_told(tmp_path: Path) -> None:
    """In the document, in the file's line with -v, and at the end: a scanner wants cleaning."""
    source = tmp_path / "in" / "a.png"
    source.parent.mkdir()
    assert cv2.imwrite(str(source), streaked(scan(height=1100), {33: 0.3, 371: 0.5}))
    done = imgclean("denoise", source, "--out", tmp_path / "out", "--model", "scan", "--json", "-v")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["streaks"] == 2
    assert "2 streaks removed" in done.stderr
    told = f"a scanner's streaks were removed from 1 file ({source}): its glass may be dusty, "
    assert told in done.stderr
    again = imgclean("denoise", source, "--out", tmp_path / "out", "--model", "scan")
    assert "glass" not in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["denoise", "IN"], 2, "--out"),
        (["denoise", "IN", "--out", "OUT", "--strength", "1.5"], 2, "strength"),
        (["denoise", "IN", "--out", "OUT", "--format", "gif"], 2, "format"),
        (["denoise", "IN", "--out", "OUT", "--output-mode", "1"], 2, "bilevel"),
        (["denoise", "IN", "-o", "OUT", "--format", "jpg", "--output-mode", "bilevel"], 2, "tiff"),
        (["denoise", "IN", "--out", "OUT", "--limit-memory", "lots"], 2, "--limit-memory lots"),
        (["denoise", "IN", "--out", "OUT", "--device", "cuda:9"], 2, "cuda:9"),
        (["denoise", "IN", "--out", "IN"], 2, "input folder"),
        (["denoise", "IN", "--out", "OUT", "--max-pixels", "0"], 2, "--max-pixels 0: is nothing"),
        (
            ["denoise", "IN", "--out", "OUT", "--limit-memory", "0"],
            2,
            "--limit-memory 0: is nothing",
        ),
        (["denoise", "IN", "--out", "OUT", "--model", "nosuch"], 3, "photo"),
        (["denoise", "IN", "--out", "OUT", "--model", "n" * 300], 3, "too long"),
        (["denoise", "nowhere", "--out", "OUT"], 4, "nowhere"),
        (["denoise", "IN", "--out", "IN/a.png"], 5, "folder"),
        (["denoise", "IN", "--out", "OUT", "--report", "IN/a.png"], 2, "--report"),
        (["denoise", "n" * 300, "--out", "OUT"], 4, "too long"),
        (["denoise", "IN", "--out", "n" * 300], 5, "too long"),
        (["denoise", "no\x1b[31m", "--out", "OUT"], 4, "no\\x1b[31m"),
    ],
)
def test_exit_codes(
    tmp_path: Path, make: Make, arguments: list[str], code: int, words: str
) -> None:
    """Every kind of failure has its exit code and a message, and never a traceback."""
    make(tmp_path / "in" / "a.png")
    places = {"IN": tmp_path / "in", "OUT": tmp_path / "out", "IN/a.png": tmp_path / "in" / "a.png"}
    done = imgclean(*[places.get(word, word) for word in arguments])
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_damaged_weights_exit_3(tmp_path: Path, make: Make, tiny: str) -> None:
    """Weights cut short, and a pickle, end the command before any image is read."""
    make(tmp_path / "in" / "a.png")
    short = tmp_path / "short.safetensors"
    short.write_bytes(Path(tiny).read_bytes()[:1000])
    pickled = tmp_path / "model.pt"
    pickled.write_bytes(b"PK\x03\x04 and so on")
    for path in (short, pickled):
        done = imgclean("denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", path)
        assert done.returncode == 3 and path.name in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_refused_command_keeps_the_report(tmp_path: Path, make: Make, tiny: str) -> None:
    """The report of the run before is replaced by one of a run, not by one that never began."""
    make(tmp_path / "in" / "a.png")
    report = tmp_path / "report.json"
    common = ("denoise", tmp_path / "in", "--out", tmp_path / "out", "--report", report)
    assert imgclean(*common, "--model", tiny).returncode == 0
    before = report.read_bytes()
    assert imgclean(*common, "--model", "nosuch").returncode == 3
    assert report.read_bytes() == before
    report.unlink()
    report.mkdir()
    assert imgclean(*common, "--model", tiny, "--overwrite").returncode == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_log_ends_no_run(tmp_path: Path, make: Make, tiny: str) -> None:
    """Where messages have no room the work goes on, and the document says how it went."""
    make(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"")
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in"), "--json", "-v"]
    command += ["--out", str(tmp_path / "out"), "--model", tiny]
    with Path("/dev/full").open("w") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, check=False)
    assert done.returncode == 1  # for b.png
    summary = json.loads(done.stdout)["summary"]
    assert (summary["state"], summary["done"], summary["failed"]) == ("finished", 1, 1)
    wrong = [*command, "--strength", "7"]
    with Path("/dev/full").open("w") as log:
        assert subprocess.run(wrong, stderr=log, check=False).returncode == 2


def test_a_log_that_nobody_reads_ends_no_run(tmp_path: Path, make: Make, tiny: str) -> None:
    """A pipe that is full and does not block: what has no room is dropped."""
    make(tmp_path / "in" / "a.png")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in"), "--json", "-v"]
    command += ["--out", str(tmp_path / "out"), "--model", tiny]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, check=False, timeout=120)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 0 and json.loads(done.stdout)["summary"]["done"] == 1


@pytest.mark.parametrize("what", [[], ["--json"]])
def test_a_log_whose_reader_has_gone(
    tmp_path: Path, make: Make, tiny: str, what: list[str]
) -> None:
    """As with `2>&1 | head`: the status is 1, not what Python gives where it cannot flush."""
    make(tmp_path / "in" / "a.png")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in"), "-v", *what]
    command += ["--out", str(tmp_path / "out"), "--model", tiny]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, check=False, timeout=120)
    assert done.returncode == 1
    again = subprocess.run(command, capture_output=True, check=False, timeout=120)
    os.close(writer)
    assert again.returncode == 0


def test_a_report_says_what_it_is_of(tmp_path: Path, make: Make, tiny: str) -> None:
    """A killed run leaves one that is of a running one; what was not tried is not finished."""
    for name in ("a.png", "c.png"):
        make(tmp_path / "in" / name)
    (tmp_path / "in" / "b.png").write_bytes(b"")
    report = tmp_path / "report.json"
    command = ["denoise", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--model", tiny]
    command += ["--report", str(report), "--workers", "1"]
    killed = patched(
        "import os\n"
        "from imgclean import denoise\n"
        "denoise.Run._one = lambda run, job, last: os._exit(9)\n",
        *command,
    )
    assert killed.returncode == 9, killed.stderr
    assert json.loads(report.read_text())["summary"]["state"] == "running"
    stopped = imgclean(*command, "--fail-fast")
    assert stopped.returncode == 1
    summary = json.loads(report.read_text())["summary"]
    assert summary["state"] == "stopped" and summary["files"] == 3


@pytest.mark.parametrize(("number", "why"), [("ENOSPC", "is full"), ("EROFS", "read-only")])
def test_a_full_disk_exits_5(tmp_path: Path, make: Make, tiny: str, number: str, why: str) -> None:
    """Where nothing can be written the last line says what to do; the same command goes on."""
    for name in ("a.png", "b.png"):
        make(tmp_path / "in" / name)
    command = ["denoise", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--model", tiny]
    full = patched(
        "import errno, os\n"
        "from imgclean import denoise, errors\n"
        "def finish(writer):\n"
        f"    why = OSError(errno.{number}, os.strerror(errno.{number}))\n"
        "    raise errors.OutputError(f'{writer.target}: cannot be written') from why\n"
        "denoise.Writer.finish = finish\n",
        *command,
    )
    assert full.returncode == 5, full.stderr
    last = full.stderr.splitlines()[-1]
    assert why in last and "make room" in last
    assert not list((tmp_path / "out").glob("*.png"))
    again = imgclean(*command)
    assert again.returncode == 0 and "2 done" in again.stderr, again.stderr


def test_dry_run(tmp_path: Path, make: Make, tiny: str) -> None:
    """--dry-run forecasts time and memory and writes nothing."""
    make(tmp_path / "in" / "a.png")
    done = imgclean(
        "denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", tiny, "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    assert "1 to do" in done.stderr and "forecast" in done.stderr
    assert "small" not in done.stderr
    command = ("denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", "scan")
    assert "five times that where print is small" in imgclean(*command, "--dry-run").stderr
    assert not (tmp_path / "out").exists()


def test_closed_streams_harm_nothing(tmp_path: Path, make: Make, tiny: str) -> None:
    """With all standard streams closed the run ends well and no message lands in a file."""
    make(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"")
    command = [sys.executable, "-m", "imgclean", "denoise", str(tmp_path / "in")]
    command += ["--out", str(tmp_path / "out"), "--model", tiny, "--json"]
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *command], check=False)
    assert done.returncode == 1
    assert len((tmp_path / "out" / ".imgclean-journal.jsonl").read_bytes().splitlines()) == 1
    assert (tmp_path / "out" / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_reports_replace_no_pipe_and_no_link(tmp_path: Path, make: Make, tiny: str) -> None:
    """A report follows a link, makes its folder, and goes into a pipe without replacing it."""
    source = make(tmp_path / "a.png")
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "out" / "report.json")
    common = ("denoise", source, "--out", tmp_path / "out", "--model", tiny)
    assert imgclean(*common, "--report", link).returncode == 0
    assert link.is_symlink()
    assert json.loads((tmp_path / "out" / "report.json").read_text())["summary"]["done"] == 1
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        assert imgclean(*common, "--report", pipe).returncode == 0
        assert json.loads(os.read(descriptor, 65536))["summary"]["skipped"] == 1
    finally:
        os.close(descriptor)
    assert pipe.is_fifo()


def test_models_lists_cards() -> None:
    """`imgclean models` names the shipped weights with the figures of their cards."""
    done = imgclean("models")
    assert done.returncode == 0
    assert "photo:" in done.stdout and "scan:" in done.stdout
    names = [card["name"] for card in json.loads(imgclean("models", "--json").stdout)["models"]]
    assert names == ["gaussian", "photo", "photo-best", "scan"]


def test_an_error_that_points_at_a_word_keeps_its_lines(tmp_path: Path, make: Make) -> None:
    """The mark stands beneath the word; control characters are still made harmless."""
    for seed in range(4):
        make(tmp_path / "photos" / f"{seed}.png", 64, 48, seed=seed)
    wrong = ["--noise", "blur+gausian\x1b:3", "--data", str(tmp_path / "photos")]
    done = imgclean("train", *wrong, "--out", tmp_path / "run")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert "\x1b" not in done.stderr and lines[2].strip() == "^" * len("gausian:3x")
    assert lines[2].index("^") == lines[1].index("gausian")


@pytest.mark.parametrize(
    ("command", "place"),
    [("denoise", "docs/denoise.md"), ("eval", "docs/evaluate.md"), ("train", "docs/train.md")],
)
def test_every_option_is_documented(command: str, place: str) -> None:
    """Where the command's options are listed all of them are."""
    text = (Path(__file__).parent.parent / place).read_text(encoding="utf-8")
    part = text.split(f"# Options of `imgclean {command}`")[1].split("\n#")[0]
    named = set(re.findall(r"--[a-z][a-z-]+", part))
    options = set(re.findall(r"--[a-z][a-z-]+", imgclean(command, "--help").stdout))
    assert not sorted(options - named - {"--help"})


def test_a_report_takes_no_other_files_place(tmp_path: Path, make: Make, tiny: str) -> None:
    """What --report names by accident stays: an image that is not of the run, and the journal."""
    first, second = (make(tmp_path / f"{k}.png", seed=k) for k in range(2))
    before = first.read_bytes()
    done = imgclean(
        "denoise", second, "--out", tmp_path / "out", "--model", tiny, "--report", first
    )
    assert done.returncode == 2 and "not overwritten" in done.stderr
    assert first.read_bytes() == before
    for name in (".imgclean-journal.jsonl", "1.compare.jpg"):
        out = tmp_path / "out"
        done = imgclean(
            "denoise", second, "--out", out, "--model", tiny, "--compare", "--report", out / name
        )
        assert done.returncode == 2 and "choose another --report" in done.stderr
        assert not (out / name).exists()
    report = tmp_path / "report.json"
    for _ in range(2):
        call = ("denoise", second, "--out", tmp_path / "out", "--model", tiny, "--report", report)
        assert imgclean(*call).returncode == 0


def test_a_report_takes_the_place_of_a_report_alone(tmp_path: Path, make: Make, tiny: str) -> None:
    """Whatever their suffix: settings are kept, and a second run renews what the first wrote."""
    common = ("denoise", make(tmp_path / "a.png"), "--out", tmp_path / "out", "--model", tiny)
    mine = tmp_path / "package.json"
    mine.write_text('{"my": "settings"}')
    done = imgclean(*common, "--report", mine)
    assert done.returncode == 2 and "is no report of imgclean denoise" in done.stderr
    assert mine.read_text() == '{"my": "settings"}' and not (tmp_path / "out").exists()
    for _ in range(2):
        assert imgclean(*common, "--report", tmp_path / "r.txt").returncode == 0
    assert imgclean(*common, "--report", "-").returncode == 2


def test_a_report_is_renewed_while_it_runs(tmp_path: Path, make: Make, tiny: str) -> None:
    """What a watcher finds, or what is left of a killed run, is no older than a minute."""
    for number in range(3):
        make(tmp_path / "in" / f"{number}.png", seed=number)
    patch = (
        "import imgclean.cli as cli, imgclean.progress as progress\ncli._REPORTED = 0\n"
        "progress.write_report = lambda to, told: print(told['summary']['state'], "
        "told['summary']['done'])\n"
    )
    done = patched(
        patch, "denoise", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--model", tiny,
        "--report", str(tmp_path / "r.json"),
    )  # fmt: skip
    assert done.stdout.split("\n")[:4] == ["running 0", "running 1", "running 2", "running 3"]
    assert done.stdout.split("\n")[4] == "finished 3"


def test_a_name_too_long_for_a_report(tmp_path: Path, make: Make, tiny: str) -> None:
    common = ("denoise", make(tmp_path / "a.png"), "--out", tmp_path / "out", "--model", tiny)
    done = imgclean(*common, "--report", f"{'a' * 300}.json")
    assert done.returncode == 5 and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strength", "50%"], "'--strength': 50% is no number."),
        (["--strength", "nan"], "nan is no number."),
        (["--strength", "2"], "2 is out of range; give at most 1."),
        (["--tile", "3"], "3 is out of range; give at least 64."),
        (["--workers", "1.5"], "1.5 is no whole number."),
        (["--format", "jpeg"], "'tiff', 'webp'. Did you mean jpg?"),
        (["--output-mode", "gray"], "Did you mean grey?"),
        (["--limit-memory", "2"], "--limit-memory 2: means 2 bytes; write 800M or 2G"),
    ],
)
def test_wrong_values_are_told_plainly(words: list[str], said: str) -> None:
    done = imgclean("denoise", "x", "--out", "y", *words)
    assert done.returncode == 2 and said in done.stderr


def test_a_current_folder_that_is_gone(tmp_path: Path, make: Make) -> None:
    """One line and no traceback, nor MKL's abort."""
    source = make(tmp_path / "a.png")
    gone = str(tmp_path / "gone")
    patch = f"import os\nos.mkdir({gone!r})\nos.chdir({gone!r})\nos.rmdir({gone!r})\n"
    done = patched(patch, "denoise", str(source), "--out", "clean")
    assert done.returncode == 2
    assert done.stderr.startswith("imgclean: the current folder was removed; ")
    assert done.stderr.count("\n") == 1
    for words in (["--version"], ["denoise", "--help"]):  # which need none
        asked = patched(patch, *words)
        assert (asked.returncode, asked.stderr) == (0, "") and "imgclean" in asked.stdout


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["denoise", "inputs", "-out", "clean"], "--out"),
        (["denoise", "in", "-out=clean"], "--out"),
        (["denoise", "in", "-o", "clean", "-model", "scan"], "--model"),
        (["denoise", "in", "-o", "clean", "-no-safe"], "--no-safe"),
        (["denoise", "in", "-oo", "-model", "scan"], "--model"),
        (["train", "-resume", "run"], "--resume"),
        (["eval", "-help"], "--help"),
    ],
)
def test_a_dash_that_is_missing(words: list[str], meant: str) -> None:
    """-out clean is not taken for -o ut and another input."""
    with pytest.raises(UsageError, match=rf"^{meant[1:]}: .*did you mean {meant}\?$"):
        app(words, standalone_mode=False)


@pytest.mark.parametrize(
    "words",
    [
        ["-oclean"], ["-o", "clean"], ["-qoclean"], ["-qo", "clean"], ["-o", "-out"],
        ["-qo", "-out"], ["-oclean", "--", "-out"],
    ],
)  # fmt: skip
def test_one_dash_before_letters(words: list[str]) -> None:
    """Letters joined to their value, a value that looks like an option, and what is behind --."""
    with pytest.raises(InputError, match="nowhere"):
        app(["denoise", "nowhere", *words], standalone_mode=False)


def test_weights_that_are_nearly_named(tmp_path: Path) -> None:
    for name, said in (("Auto", "did you mean auto?"), (str(tmp_path), "is a folder")):
        with pytest.raises(WeightsError, match=re.escape(said)):
            locate(name)


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no bar can be drawn the run speaks as into a pipe."""
    monkeypatch.setattr(Messages, "is_terminal", True)
    for term, moves in (("xterm", True), ("dumb", False)):
        monkeypatch.setenv("TERM", term)
        assert Messages().moves is moves


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_standard_output_without_room(tmp_path: Path) -> None:
    """A document that does not fit is an error in a line."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imgclean", "models", "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 5 and done.stderr.startswith("imgclean: standard output: ")


@pytest.mark.parametrize("ignored", [False, True])
def test_termination_leaves_no_parts(tmp_path: Path, make: Make, tiny: str, ignored: bool) -> None:
    """Asked to end, a run ends like an interrupted one, but goes on where nohup started it."""
    for k in range(40):
        make(tmp_path / "in" / f"{k}.png", 300, 300, seed=k)
    call = ["denoise", tmp_path / "in", "--out", tmp_path / "out", "--model", tiny]
    way = signal.SIG_IGN if ignored else signal.SIG_DFL  # as nohup, or a terminal, starts it
    run = subprocess.Popen(
        [sys.executable, "-m", "imgclean", *map(str, call)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, way),
    )  # fmt: skip
    assert run.stderr
    while "done" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGHUP)
    rest = run.communicate()[1]
    assert run.returncode == (0 if ignored else 130)
    assert ("continues where it stopped" in rest) != ignored
    assert not list((tmp_path / "out").glob(".*.imgclean-tmp"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_termination_before_anything_is_imported(tmp_path: Path) -> None:
    """Asked to end while it starts, a command ends as an interrupted one."""
    run = subprocess.Popen([sys.executable, "-m", "imgclean", "denoise", tmp_path, "--out", "x"])
    bit, caught = 1 << (signal.SIGTERM - 1), 0
    while not caught & bit:  # until it listens
        assert run.poll() is None
        lines = Path(f"/proc/{run.pid}/status").read_text().splitlines()
        caught = int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16)
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 130


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "--out", ""], '--out ""'), (["eval", "--out="], '--out ""'),
        (["train", "--data", ""], '--data ""'), (["denoise", "", "--out", "x"], '"": an empty'),
        (["eval", "-o", ""], '-o ""'),
    ],
)  # fmt: skip
def test_empty_arguments_are_refused(tmp_path: Path, arguments: list[str], named: str) -> None:
    """A variable that is not set is no current folder, and no option left out."""
    done = imgclean(*arguments)
    assert done.returncode == 2 and named in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [["models"], ["eval", "--limit", "1", "-q"], ["--help"], ["train", "-h"], ["--version"]],
)
def test_full_standard_output(arguments: list[str]) -> None:
    """It is told in a line, with the code of an output that cannot be written."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imgclean", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 5 and done.stderr.startswith("imgclean: standard output: No space")


def test_termination_after_all_is_done() -> None:
    """While the interpreter goes down a signal changes nothing."""
    code = """
import atexit, os, signal, sys
from imgclean.__main__ import main
atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM))
sys.argv = ["imgclean", "--version"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("imgclean ")
