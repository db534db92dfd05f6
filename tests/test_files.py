import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imgclean.errors import OutputError
from imgclean.files import write_whole


def test_several_writers_of_one_file(tmp_path: Path) -> None:
    """Each writes all of it, one of them last, and nothing else is left."""
    contents = [bytes([n]) * 100_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "a", content), contents))
    assert (tmp_path / "a").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_longest_name(tmp_path: Path) -> None:
    """A name may be as long as file systems allow."""
    target = tmp_path / ("\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 125 + ".json")
    write_whole(target, b"{}")
    assert target.read_bytes() == b"{}"


def test_names_where_the_locale_is_ascii(tmp_path: Path) -> None:
    """As in containers and cron: a name's bytes stay what they are."""
    code = """
import os, sys
from pathlib import Path
from imgclean.files import write_whole
write_whole(Path(sys.argv[1]), b"{}")
print(sys.getfilesystemencoding())
"""
    target = tmp_path / ("\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 125 + ".json")
    ascii_only = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code, target],
        capture_output=True, text=True, check=False, env={**os.environ, **ascii_only},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("ascii\n", "")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the half of a file, whose name no later one would have."""

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", b"new")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """An error names the target and what to do, and what was there stays."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "kept").touch()
    with pytest.raises(OutputError, match=r"a: cannot be written .*; make room"):
        write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
