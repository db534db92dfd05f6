"""Errors that users may cause or meet, each with the exit code it ends the command with.

A message reads ``PATH: what is wrong; what to do``. Anything that is not an
`ImgcleanError` is a defect of imgclean itself and keeps its traceback.
"""

from enum import IntEnum

__all__ = [
    "DependencyError",
    "ExitCode",
    "ImageError",
    "ImgcleanError",
    "InputError",
    "OutputError",
    "UsageError",
    "WeightsError",
    "printable",
]


class ExitCode(IntEnum):
    """What the process returns to the shell."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    WEIGHTS = 3
    NO_INPUT = 4
    NO_OUTPUT = 5
    INTERRUPTED = 130


class ImgcleanError(Exception):
    """Base of every error whose message alone tells the user what to do."""

    exit_code = ExitCode.SOME_FAILED


class UsageError(ImgcleanError):
    """Options that contradict each other or cannot be carried out."""

    exit_code = ExitCode.USAGE


class WeightsError(ImgcleanError):
    """Weights that are missing, damaged or of a kind that is not loaded."""

    exit_code = ExitCode.WEIGHTS


class DependencyError(ImgcleanError):
    """An optional package or program that is not installed."""

    exit_code = ExitCode.WEIGHTS


class InputError(ImgcleanError):
    """An input path that does not exist, or holds no image."""

    exit_code = ExitCode.NO_INPUT


class OutputError(ImgcleanError):
    """An output folder or file that cannot be written."""

    exit_code = ExitCode.NO_OUTPUT


class ImageError(ImgcleanError):
    """One image file that cannot be read or encoded: it fails alone."""


def printable(text: str) -> str:
    """Text with control characters, such as an escape in a file name, made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
