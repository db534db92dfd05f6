"""Entry point: turns errors into messages and exit codes."""

import io
import os
import re
import signal
import sys
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO

__all__ = ["main"]


def main() -> None:
    """Run the command line; the only place that ends the process."""
    _open_standard_streams()
    sys.stderr = _messages()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names that are not valid text must not stop a run
            stream.reconfigure(errors="backslashreplace")
    from .errors import ExitCode, ImgcleanError, printable
    from .files import printing

    try:
        _end_as_interrupted()
        _refuse_empty(sys.argv)
        asks = bool({"-h", "--help", "--version"} & set(sys.argv))
        if not asks:  # what is printed then needs no folder
            _refuse_nowhere()
        from .cli import app

        with printing() if asks else nullcontext():
            app(prog_name="imgclean")
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):  # Typer's
            print("imgclean: interrupted", file=sys.stderr)
        _leave(end)
    except ImgcleanError as error:
        text = "\n".join(map(printable, str(error).split("\n")))  # some point at a word
        print(f"imgclean: {text}", file=sys.stderr)
        _leave(SystemExit(int(error.exit_code)))
    except KeyboardInterrupt:
        print("imgclean: interrupted", file=sys.stderr)
        _leave(SystemExit(int(ExitCode.INTERRUPTED)))
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        _leave(SystemExit(int(ExitCode.SOME_FAILED)))
    except OSError as error:
        if "--install-completion" not in sys.argv:
            raise
        print(f"imgclean: --install-completion: cannot write to {error.filename} "
              f"({error.strerror}); check HOME and its permissions", file=sys.stderr)  # fmt: skip
        _leave(SystemExit(int(ExitCode.NO_OUTPUT)))


def _open_standard_streams() -> None:
    """Give closed ones the null device, or a result would be opened in the place of one."""
    for number, mode in enumerate("rww"):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            name = ("stdin", "stdout", "stderr")[number]
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


class _Messages(io.FileIO):
    """Standard error that lacks no room: a run of hours does not end for a log that is full."""

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except BrokenPipeError:  # whoever read it has gone, as `head` does
            raise
        except OSError:
            written = None
        return len(data) if written is None else written  # None: it would have to wait


def _messages() -> TextIO:
    with suppress(OSError, ValueError):
        if os.name == "nt":  # whose console is no file
            return sys.stderr
        raw = _Messages(sys.stderr.fileno(), "wb", closefd=False)
        coding = sys.stderr.encoding
        return io.TextIOWrapper(io.BufferedWriter(raw), coding, "backslashreplace", "\n", True)
    return sys.stderr


def _refuse_empty(words: list[str]) -> None:
    """Refuse an empty argument, which is the current folder in places, or no option at all.

    Raises:
        UsageError: there is one.
    """
    from .errors import UsageError

    for before, word in zip(words, words[1:], strict=False):
        if not word or re.fullmatch(r"--[a-z-]+=", word):
            option = word.rstrip("=") or (before if before.startswith("-") else "")
            raise UsageError(
                f'{option} "": an empty argument, as of a variable that is not set; give a value, '
                "or leave it out".lstrip()
            )


def _refuse_nowhere() -> None:
    """Refuse to run where the current folder is gone: relative paths, and MKL, need one.

    Raises:
        UsageError: it was removed.
    """
    from .errors import UsageError

    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the current folder was removed; cd to one that is there") from error


def _end_as_interrupted() -> None:
    """Take the signals of a shutdown or of a terminal that closes for Ctrl-C."""
    for ending in _endings():
        if signal.getsignal(ending) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(ending, signal.default_int_handler)


def _endings() -> list[signal.Signals]:
    """The signals of a shutdown, and of a terminal that closes, that this system has."""
    return [signal.Signals[n] for n in ("SIGTERM", "SIGHUP") if n in signal.Signals.__members__]


def _leave(end: SystemExit) -> None:
    """End the process, at once if threads of a run, or between processes, are still alive.

    A thread that returns from the network's arithmetic while Python shuts down is unwound
    through C++ code that does not expect it, and the whole process aborts.
    """
    for ending in (signal.SIGINT, *_endings()):  # all is done: too late to be interrupted
        signal.signal(ending, signal.SIG_IGN)
    working = any(thread.name.startswith("imgclean-") for thread in threading.enumerate())
    if not working and os.environ.get("WORLD_SIZE", "1") == "1":
        raise end
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)


if __name__ == "__main__":
    main()
