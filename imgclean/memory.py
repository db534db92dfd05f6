"""What the C library does with memory that was freed."""

import ctypes
import sys

__all__ = ["return_freed"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in glibc's malloc.h
_LARGE = 1 << 20


def return_freed() -> None:
    """Let glibc give every freed block of a megabyte or more back to the system at once.

    Left alone it learns to keep blocks of up to 32 MB for later, a set for each thread: a 200
    megapixel image then takes 0.3 GB more. It costs time where blocks are taken and freed all the
    time, so it is for processes that see such an image. Does nothing under other C libraries.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _LARGE)
