"""How well an image can be read: Tesseract's text against the true one."""

import os
import shutil
import subprocess
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import DependencyError, ImageError

__all__ = ["check_tesseract", "error_rates", "normalised", "read_text"]

_LONGEST = 300  # seconds for one image


def check_tesseract(language: str = "eng") -> str:
    """Make sure that texts can be read and compared, and give Tesseract's version.

    Args:
        language: as Tesseract names it; several are joined by ``+``.

    Raises:
        DependencyError: the program, a language's data or the package jiwer is not installed.
    """
    program = shutil.which("tesseract")
    if program is None:
        raise DependencyError(
            "Tesseract: the program tesseract is not installed; install it with "
            "'apt-get install tesseract-ocr' (Debian, Ubuntu) or 'brew install tesseract' (macOS), "
            "or leave out --text and --ocr"
        )
    try:
        import jiwer  # noqa: F401 -- is it there?
    except ImportError as error:
        raise DependencyError(
            "Tesseract: the package jiwer is missing; install it with pip install 'imgclean[eval]'"
        ) from error
    listed = _said(program, "--list-langs").split()
    missing = [name for name in language.split("+") if name not in listed]
    if missing:
        raise DependencyError(
            f"Tesseract: has no data for {', '.join(missing)}; install it, on Debian and Ubuntu "
            f"with 'apt-get install tesseract-ocr-{missing[0].replace('_', '-')}', or name another "
            "--ocr-language"
        )
    return _said(program, "--version").partition("\n")[0].strip()


def _said(program: str, option: str) -> str:
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    return str(done.stdout or done.stderr)


def read_text(pixels: NDArray[np.uint8], language: str = "eng") -> str:
    """The text that Tesseract 4 or 5 finds in a page, with its own layout analysis.

    Args:
        pixels: H x W x C, 8 bits, RGB or grey.
        language: as in `check_tesseract`.

    Raises:
        DependencyError: Tesseract is not installed.
        ImageError: it failed on this image.
    """
    swapped = np.ascontiguousarray(pixels[..., ::-1] if pixels.shape[2] == 3 else pixels)
    data: Any = cv2.imencode(".png", swapped, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1]
    try:
        done = subprocess.run(
            ["tesseract", "stdin", "stdout", "-l", language],
            input=data.tobytes(),
            capture_output=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # faster, on one image at a time
            timeout=_LONGEST,
            check=False,
        )
    except FileNotFoundError as error:
        raise DependencyError("Tesseract: the program tesseract is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"Tesseract: no answer in {_LONGEST} s; leave this image out") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        raise ImageError(f"Tesseract: failed on this image ({lines[-1]}); see tesseract --help")
    return str(done.stdout, "utf-8", "replace")


def normalised(text: str) -> str:
    """The text with every run of white space, line breaks too, as one space, none at the ends."""
    return " ".join(text.split())


def error_rates(*, true: str, read: str) -> tuple[float, float]:
    """Character and word error rate of a text, by jiwer, both texts `normalised`.

    Edits (Levenshtein 1966) that make one text of the other, by the length of the true one; case
    and punctuation count.

    Returns:
        Per cent, above 100 where far too much was read.

    Raises:
        ValueError: the true text is empty.
    """
    import jiwer

    reference, found = normalised(true), normalised(read)
    if not reference:
        raise ValueError("the true text is empty")
    return 100 * float(jiwer.cer(reference, found)), 100 * float(jiwer.wer(reference, found))
