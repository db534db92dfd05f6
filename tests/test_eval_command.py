import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from imgclean.cli import app
from imgclean.errors import ImgcleanError, OutputError, UsageError
from imgclean.eval_command import _whole_cases
from imgclean.scores import FIGURES, NOISY, Score

from .conftest import Make, heed_interrupts
from .test_cli import imgclean


@pytest.fixture
def pairs(tmp_path: Path, make: Make) -> Path:
    """A folder with noisy/ and clean/, two pairs of 60 x 50 pixels."""
    for k in range(2):
        make(tmp_path / "set" / "noisy" / f"{k}.png", 60, 50, seed=k)
        make(tmp_path / "set" / "clean" / f"{k}.png", 60, 50, seed=k + 9)
    return tmp_path / "set"


def test_files_that_would_replace_each_other_are_refused(
    pairs: Path, tiny: str, tmp_path: Path
) -> None:
    """The table, the sheet, the report and the list of scores need a place each."""
    place = tmp_path / "report"
    place.mkdir()
    ends: list[str | Path] = ["--model", tiny, "--report", "--out", place]
    for name in ("report.html", "scores.jsonl"):
        done = imgclean("eval", pairs, *ends, "--csv", place / name)
        assert done.returncode == 2 and f"writes {name}" in done.stderr
    one = tmp_path / "x.png"
    done = imgclean("eval", pairs, *ends, "--csv", one, "--output", one)
    assert done.returncode == 2 and "same file" in done.stderr
    assert not one.exists() and not list(place.iterdir())


def test_json_is_all_of_stdout(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """--json prints one document with the promised fields, and --csv a row for every score."""
    rows = tmp_path / "scores.csv"
    done = imgclean("eval", pairs, "--model", tiny, "--baseline", "median", "--json", "--csv", rows)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {
        "command", "created", "state", "summary", "methods", "means", "scores", "suspicious",
        "below",
    }  # fmt: skip
    assert document["command"].startswith("imgclean eval ")
    assert document["summary"] == {
        "cases": 2, "scores": 6, "computed": 6, "failed": 0, "report": None,
    }  # fmt: skip
    assert [method["name"] for method in document["methods"]] == ["tiny", "median"]
    score = document["scores"][1]
    assert set(score) == {
        "image", "level", "method", "width", "height", "figures", "pictures", "error",
    }  # fmt: skip
    assert (score["image"], score["method"], score["width"]) == ("0.png", "tiny", 60)
    assert set(score["figures"]) <= set(FIGURES)
    assert {"psnr", "ssim", "rmse", "gain", "sigma_after", "mp_s"} <= set(score["figures"])
    mean = next(m for m in document["means"] if (m["method"], m["figure"]) == ("tiny", "psnr"))
    assert mean["count"] == 2 and mean["low"] <= mean["mean"] <= mean["high"]
    assert mean["worse"] in (0, 1, 2)
    table = list(csv.DictReader(rows.read_text(encoding="utf-8").splitlines()))
    assert len(table) == 6 and float(table[1]["psnr"]) == score["figures"]["psnr"]


@pytest.mark.parametrize("json_", [True, False])
def test_figures_survive_a_file_that_cannot_be_written(
    pairs: Path,
    tiny: str,
    tmp_path: Path,
    json_: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """They may have taken hours: the disk that is full by then costs the side file alone."""

    def full(*_: object, **__: object) -> None:
        raise OutputError("no space left")

    monkeypatch.setattr("imgclean.eval_screen.write_csv", full)
    monkeypatch.setattr("imgclean.report.write_html", full)
    words = ["eval", str(pairs), "--model", tiny, "--csv", str(tmp_path / "s.csv")]
    words += ["--report", "--out", str(tmp_path / "out"), *(["--json"] if json_ else [])]
    with pytest.raises(OutputError, match="no space left\nno space left"):
        app(words, standalone_mode=False)
    printed = capsys.readouterr().out
    if json_:
        document = json.loads(printed)
        assert len(document["scores"]) == 4 and document["summary"]["report"] is None
    else:
        assert "PSNR" in printed and "tiny" in printed


def test_rows_survive_standard_output_without_room(
    pairs: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other way round: what is asked for as a file is there before anything is printed."""

    def full(*_: object) -> None:
        raise OutputError("standard output: no space left")

    monkeypatch.setattr("imgclean.eval_screen.print_json", full)
    rows = tmp_path / "scores.csv"
    with pytest.raises(OutputError, match="standard output: no space left"):
        app(["eval", str(pairs), "--model", tiny, "--json", "--csv", str(rows)],
            standalone_mode=False)  # fmt: skip
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 5


def test_a_folder_that_is_read_only_is_found_out_before_the_work(
    pairs: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No image is looked at; this may run as root, who may write anywhere."""
    monkeypatch.setattr("imgclean.files.os.access", lambda *_: False)
    monkeypatch.setattr("imgclean.evaluate.Run.__iter__", lambda _: pytest.fail("it ran"))
    for option in ("--csv", "--output"):
        target = tmp_path / ("s.csv" if option == "--csv" else "s.png")
        with pytest.raises(OutputError, match="may not be written to"):
            app(["eval", str(pairs), "--model", tiny, option, str(target)], standalone_mode=False)


def test_noisy_images_that_drawn_noise_leaves_out_are_named(pairs: Path, tiny: str) -> None:
    """A folder with noisy/ and --noise: what is measured is drawn on clean/."""
    done = imgclean("eval", pairs, "--model", tiny, "--noise", "gaussian:25", "--limit", "1")
    assert done.returncode == 0
    assert f"{pairs / 'noisy'} is not used" in done.stderr


def test_runs_are_told_apart(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """Two trained weights go by their folders in JSON, whatever their cards call them."""
    places = [tmp_path / name / "weights.safetensors" for name in ("one", "two")]
    for place in places:
        place.parent.mkdir()
        for suffix in (".safetensors", ".json"):
            shutil.copy(Path(tiny).with_suffix(suffix), place.with_suffix(suffix))
    done = imgclean("eval", pairs, "--model", places[0], "--model", places[1], "--json")
    document = json.loads(done.stdout)
    named = [method["name"] for method in document["methods"]]
    assert len(set(named)) == 2 and set(named) <= {s["method"] for s in document["scores"]}


def test_table_fits_a_terminal(pairs: Path, tiny: str) -> None:
    """Where intervals have no room they are left out, and not the names of the rows."""
    common = ("eval", pairs, "--model", tiny, "--baseline", "median,nlm", "-q")
    narrow = imgclean(*common, FORCE_COLOR="1", COLUMNS="80").stdout
    assert "PSNR (dB)" in narrow and ".." not in narrow and "intervals in --json" in narrow
    assert ".." in imgclean(*common, FORCE_COLOR="1", COLUMNS="140").stdout
    single = imgclean(*common, "--limit", "1", FORCE_COLOR="1", COLUMNS="140").stdout
    assert "* best of the row\n" in single and ".." not in single  # one of no width says nothing
    many = (*common[:-2], "median,nlm,bilateral,otsu,sauvola,median-background", "-q")
    parts = imgclean(*many, FORCE_COLOR="1", COLUMNS="60").stdout
    assert "\u2026" not in parts and parts.count("PSNR (dB)") > 1  # no ellipsis, several tables
    assert "median-background" in parts


def test_sheet_too_large_for_its_format(tmp_path: Path, make: Make, tiny: str) -> None:
    """A sheet that its format cannot hold is an error that names another one."""
    for number in range(44):
        make(tmp_path / "noisy" / f"{number}.png", 16, 384)
    sheet = ("--output", tmp_path / "sheet.webp", "--samples", "44")  # of 44 x 384 rows
    done = imgclean("eval", "--noisy", tmp_path / "noisy", "--model", tiny, *sheet)
    assert done.returncode == 5 and ".png" in done.stderr and "Traceback" not in done.stderr


def test_foreign_history(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """A file that no training run wrote, of the name of one that it does, harms nothing."""
    shutil.copy(tiny, tmp_path / "tiny.safetensors")
    (tmp_path / "history.csv").write_bytes(b"epoch,loss,val_loss\n1,abc,\xff\xfe\n")
    report = ("--report", "--out", tmp_path / "report")
    done = imgclean("eval", pairs, "--model", tmp_path / "tiny.safetensors", *report)
    assert done.returncode == 0, done.stderr


def test_table_is_plain_in_a_pipe(pairs: Path, tiny: str) -> None:
    """In a pipe the table has no control codes, and marks the best figure of a row."""
    done = imgclean("eval", pairs, "--model", tiny, "--baseline", "median,otsu")
    assert done.returncode == 0, done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr)
    (psnr,) = [line for line in done.stdout.splitlines() if line.strip().startswith("PSNR (dB)")]
    assert psnr.count("*") == 1
    assert "of 2" in done.stdout


def test_noisy_alone(pairs: Path, tiny: str) -> None:
    """Without clean images there are the figures that need none."""
    done = imgclean("eval", "--noisy", pairs / "noisy", "--model", tiny, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["scores"][1]["figures"]
    assert {"sigma_before", "sigma_after", "structure", "removed"} <= set(figures)
    assert not {"psnr", "ssim", "rmse", "gain"} & set(figures)


def test_fail_below(pairs: Path, tiny: str) -> None:
    """A mean that falls short ends with 1 and says which; one that does not, with 0."""
    common = ("eval", pairs, "--model", tiny, "--baseline", "median", "-q")
    assert imgclean(*common, "--fail-below", "psnr=1", "--fail-below", "rmse=1").returncode == 0
    short = imgclean(*common, "--fail-below", "psnr=90", "--fail-below", "rmse=0.001")
    assert short.returncode == 1
    assert re.search(r"tiny: psnr [\d.]+ is below 90", short.stderr)
    assert re.search(r"tiny: rmse [\d.]+ is above 0.001", short.stderr)
    assert "median" not in short.stderr
    assert imgclean(*common, "--fail-below", "lpips=1").returncode == 1


def test_damaged_pair_exits_1(pairs: Path, tiny: str) -> None:
    """A damaged file is named with its reason, the others are scored, and the exit code is 1."""
    (pairs / "noisy" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    done = imgclean("eval", pairs, "--model", tiny, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["summary"]["failed"] == 1
    assert "1.png" in done.stderr and "replace" in done.stderr
    assert {mean["count"] for mean in document["means"]} == {1}


def test_run_again(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """With the same --out nothing is computed twice."""
    common = ("eval", pairs, "--model", tiny, "--out", tmp_path / "out", "--json")
    first, again = (json.loads(imgclean(*common).stdout) for _ in range(2))
    assert first["summary"]["computed"] == 4 and again["summary"]["computed"] == 0
    assert again["scores"] == first["scores"]


def test_interrupted(tmp_path: Path, make: Make, tiny: str) -> None:
    """Ctrl-C ends with 130 and says how to continue; what is finished stays, and is told."""
    for k in range(300):
        make(tmp_path / "in" / f"{k}.png", 200, 200, seed=k)
    command = [sys.executable, "-m", "imgclean", "eval", "--noisy", str(tmp_path / "in")]
    command += ["--model", tiny, "--out", str(tmp_path / "out"), "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed_interrupts
    ) as process:
        ledger = tmp_path / "out" / "scores.jsonl"
        while process.poll() is None and not (
            ledger.is_file() and ledger.read_bytes().count(b"\n") > 4
        ):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate()
    assert process.returncode == 130, errors
    assert f"continue with: imgclean eval --noisy {tmp_path / 'in'}" in errors
    found = json.loads(told)
    assert found["state"] == "interrupted" and 0 < len(found["scores"]) < 600
    assert len(found["scores"]) == 2 * found["summary"]["cases"]  # of whole images
    assert "Traceback" not in errors
    assert ledger.read_bytes().count(b"\n") < 600


def test_an_interrupted_case_is_left_out() -> None:
    """But for one that failed before any method, which has no more than that score."""

    def score(image: str, method: str, error: str = "") -> Score:
        return Score(image, "", method, 8, 8, {}, error=error)

    first = [score("a", NOISY), score("a", "m"), score("a", "n")]
    assert _whole_cases([], 3) == []
    assert _whole_cases(first, 3) == first
    assert _whole_cases([*first, score("b", NOISY)], 3) == first
    assert _whole_cases([*first, score("b", NOISY), score("b", "m", "no")], 3) == first
    failed = [*first, score("b", NOISY, "damaged")]
    assert _whole_cases(failed, 3) == failed


def test_sheet_of_samples(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """--output writes rows of noisy, denoised and clean, and replaces no file."""
    sheet = tmp_path / "sheet.png"
    common = ("eval", pairs, "--model", tiny, "--samples", "2", "--output", sheet)
    assert imgclean(*common).returncode == 0
    with Image.open(sheet) as picture:  # tiny images are shown twice as large
        assert picture.size == (3 * 124, 2 * 104)
    again = imgclean(*common)
    assert again.returncode == 2 and "not overwritten" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere"], 4, "nowhere"),
        (["SET/noisy"], 4, "has no folder noisy/"),
        (["--noisy", "EMPTY"], 4, "no image"),
        (["--clean", "SET/clean"], 2, "--noise"),
        (["--clean", "SET/clean", "--noise", "frost:3"], 2, "frost"),
        (["SET", "--model", "nosuch"], 3, "nosuch"),
        (["SET", "--baseline", "magic"], 2, "median-background"),
        (["SET", "--fail-below", "psnr"], 2, "psnr=30"),
        (["SET", "--fail-below", "beauty=3"], 2, "ssim"),
        (["SET", "--fail-below", "psnr=nan"], 2, "psnr=30"),
        (["SET", "--device", "cuda:99"], 2, "cuda:99"),
        (["SET", "--out", "SET/noisy/out"], 2, "--out"),
        (["SET", "--out", "SET/noisy/0.png/out"], 2, "--out"),
        (["SET", "--out", "FILE"], 5, "FILE"),
        (["SET", "--csv", "EMPTY/no/a.csv"], 5, "make it"),
        (["SET", "--csv", "SET/noisy/0.png"], 2, "not overwritten"),
        (["SET", "--samples", "3"], 2, "--output"),
        (["SET", "--output", "EMPTY/sheet.doc"], 2, ".png"),
        (["SET", "--full-pictures"], 2, "--report"),
        (["SET", "--text", "EMPTY"], 4, "no text"),
        (["--noisy", "SET/noisy", "--ocr"], 2, "--text"),
        (["--noisy", "SET/noisy", "--lpips"], 2, "clean"),
    ],
)
def test_exit_codes(
    pairs: Path, tiny: str, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    """Every kind of failure has its exit code and a message."""
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").write_text("")
    places = {"SET": pairs, "EMPTY": tmp_path / "EMPTY", "FILE": tmp_path / "FILE"}
    filled = []
    for word in arguments:
        head, slash, rest = word.partition("/")
        filled.append(f"{places[head]}{slash}{rest}" if head in places else word)
    model = [] if "--model" in arguments else ["--model", tiny]
    with pytest.raises(ImgcleanError) as raised:
        app(["eval", *filled, *model], standalone_mode=False)
    assert raised.value.exit_code == code
    assert words in str(raised.value)


def test_tesseract_missing(pairs: Path, tiny: str) -> None:
    """--ocr without the program says how to install it and exits with 3."""
    done = imgclean("eval", pairs, "--model", tiny, "--ocr", PATH="")
    assert done.returncode == 3 and "apt-get install tesseract-ocr" in done.stderr


def test_texts_are_left_out_unasked(pairs: Path, tiny: str) -> None:
    """Where texts just lie there, a missing Tesseract costs one line and no figure else."""
    (pairs / "text").mkdir()
    (pairs / "text" / "0.txt").write_text("words")
    done = imgclean("eval", pairs, "--model", tiny, "--json", PATH="")
    assert done.returncode == 0 and "texts are left out" in done.stderr
    assert "psnr" in json.loads(done.stdout)["scores"][0]["figures"]


def test_a_language_without_texts_is_told(pairs: Path, tiny: str) -> None:
    """--ocr-language alone reads nothing, and says what would."""
    done = imgclean("eval", pairs, "--model", tiny, "--ocr-language", "deu")
    assert done.returncode == 0 and "--ocr-language deu: nothing is read" in done.stderr


def test_report_is_written(pairs: Path, tiny: str, tmp_path: Path) -> None:
    """--report leaves one HTML file in --out, and says where."""
    done = imgclean("eval", pairs, "--model", tiny, "--report", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (written,) = (tmp_path / "out").glob("*.html")
    assert str(written) in done.stderr and "tiny" in written.read_text(encoding="utf-8")


def test_a_torn_first_line_of_scores_is_no_foreign_file(
    pairs: Path, tiny: str, tmp_path: Path
) -> None:
    """A full disk may leave one: the folder stays one that a run continues in."""
    ledger = tmp_path / "out" / "scores.jsonl"
    ledger.parent.mkdir()
    ledger.write_text('{"key": "0a1b", "sc')
    done = imgclean("eval", pairs, "--model", tiny, "--out", ledger.parent)
    assert done.returncode == 0, done.stderr
    assert len(ledger.read_text().splitlines()) > 1


def test_a_table_goes_into_a_pipe(
    pairs: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /dev/stdout is one, whose folder belongs to the system."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        words = ["eval", str(pairs), "--model", tiny, "--limit", "1", "-q", "--csv", str(pipe)]
        assert not app(words, standalone_mode=False)
        assert os.read(descriptor, 65536).startswith(b"image,level,method,")
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.html", "<!doctype html>\n<title>Quarterly report</title>"),
        ("scores.jsonl", '{"player": "me", "score": 3}\n'),
    ],
)
def test_foreign_files_in_out_stay(
    pairs: Path, tiny: str, tmp_path: Path, name: str, content: str
) -> None:
    """A file of a name that eval writes, but of other content, is refused before the work."""
    foreign = tmp_path / "out" / name
    foreign.parent.mkdir()
    foreign.write_text(content)
    command = ["eval", str(pairs), "--model", tiny, "--out", str(foreign.parent)]
    with pytest.raises(UsageError, match=rf"{name}: exists, is no .*; choose another --out"):
        app([*command, "--report"], standalone_mode=False)
    assert [path.name for path in foreign.parent.iterdir()] == [name]
    assert foreign.read_text() == content
    foreign.unlink()
    for _ in range(2):  # its own are renewed
        assert imgclean(*command, "--report").returncode == 0


@pytest.mark.slow
def test_no_arguments(tmp_path: Path) -> None:
    """Alone it scores the shipped weights on the sample data, and they win."""
    done = imgclean("eval", "--limit", "1", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [method["name"] for method in document["methods"]] == ["auto", "nlm", "median"]
    means = {m["method"]: m["mean"] for m in document["means"] if m["figure"] == "psnr"}
    assert max(means, key=lambda method: means[method]) == "auto"
