"""How much memory is free, and what the C library does with what was freed."""

import ctypes
import sys
from pathlib import Path

__all__ = ["free_memory", "return_freed"]

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


def free_memory(system: Path = Path("/")) -> int:
    """Bytes of memory that this process can still get; 0 where the system does not tell.

    In a container that is what its own limit leaves, whatever the machine has; files that were
    read and not needed for a while count as free there, as they do for the machine.
    """
    try:
        lines = (system / "proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    free = next((int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line), 0)
    group = system / "sys/fs/cgroup"
    try:
        limit, used = (
            (group / f"memory.{name}").read_text().strip() for name in ("max", "current")
        )
    except OSError:
        return free
    if limit == "max":
        return free
    try:
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        facts = {}
    left = int(limit) - int(used) + int(facts.get("inactive_file", 0))
    return max(0, min(free, left))
