"""MNIST and Fashion-MNIST: the idx files, gzipped or not, found or downloaded.

LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998); Xiao, Rasul,
Vollgraf, "Fashion-MNIST" (2017).
"""

import gzip
import hashlib
import os
import urllib.request
import zlib
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .files import write_whole

__all__ = ["SETS", "is_set", "load_images", "read_idx", "read_labels"]

# Where each set lies, and the SHA-256 (MNIST, of the decompressed bytes) or MD5
# (Fashion-MNIST, of the file as its authors publish it) that a download must have.
SETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "t10k": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        },
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "t10k": "bef4ecab320f06d8554ea6380940ec79",
        },
    ),
}


def is_set(name: str | None) -> bool:
    """Whether a path of the user's names digits, as `mnist` or `mnist:DIR` do."""
    return bool(name) and str(name).partition(":")[0] in SETS


def load_images(
    name: str, folder: Path | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[Path]]:
    """Training and test images, N x 28 x 28, and the two files that they come from.

    Args:
        name: a key of `SETS`.
        folder: where the idx files lie; None for the cache, filled by a download.

    Raises:
        InputError: a file is missing, damaged, or cannot be downloaded.
    """
    images, files = [], []
    for part in ("train", "t10k"):
        file = _find(name, folder, part) if folder else _fetch(name, part)
        images.append(read_idx(file))
        files.append(file)
    return images[0], images[1], files


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of images: N x height x width.

    Raises:
        InputError: it cannot be read or is not one.
    """
    data = _content(path)
    if data[:4] != b"\x00\x00\x08\x03" or len(data) < 16:
        raise InputError(f"{path}: not an idx file of images; get the file again")
    count, height, width = (int.from_bytes(data[k : k + 4], "big") for k in (4, 8, 12))
    if len(data) != 16 + count * height * width or not count * height * width:
        raise InputError(f"{path}: cut short or damaged; get the file again")
    return np.frombuffer(data, np.uint8, offset=16).reshape(count, height, width)


def read_labels(images: Path) -> list[str] | None:
    """The classes of the images in an idx file, from the file of labels beside it.

    Returns:
        One an image, as text; None if no such file lies there.

    Raises:
        InputError: it cannot be read or is not one.
    """
    stem = images.name.removesuffix(".gz")
    path = images.with_name(stem.replace("images", "labels").replace("idx3", "idx1"))
    path = next((p for p in (path, path.with_name(path.name + ".gz")) if p.is_file()), path)
    if not path.is_file():
        return None
    data = _content(path)
    if data[:4] != b"\x00\x00\x08\x01" or len(data) != 8 + int.from_bytes(data[4:8], "big"):
        raise InputError(f"{path}: not an idx file of labels; get the file again")
    return [str(label) for label in data[8:]]


def _content(path: Path) -> bytes:
    """A file's bytes, decompressed if it is gzipped."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); get the file again") from error


def _find(name: str, folder: Path, part: str) -> Path:
    """The file in a folder, under any of the names that it is known by."""
    stems = (f"{part}-images-idx3-ubyte", f"{part}-images.idx3-ubyte")
    for stem in stems:
        for suffix in ("", ".gz"):
            if (folder / (stem + suffix)).is_file():
                return folder / (stem + suffix)
    raise InputError(
        f"{folder}: has no {stems[0]} or {stems[0]}.gz; put the files of {name} there, "
        f"or give --data {name} without a folder to download them"
    )


def _fetch(name: str, part: str) -> Path:
    """The file in the cache, downloaded and verified if it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "imgclean" / name
    address, digests = SETS[name]
    target = cache / f"{part}-images-idx3-ubyte.gz"
    if target.is_file():
        return target
    try:
        with urllib.request.urlopen(address + target.name, timeout=60) as answer:
            data = answer.read()
    except (OSError, HTTPException) as error:
        raise InputError(
            f"{address}{target.name}: cannot be downloaded ({error}); put the idx files of {name} "
            f"into a folder and give --data {name}:FOLDER"
        ) from error
    if not _as_published(data, digests[part]):
        raise InputError(
            f"{address}{target.name}: not the file as published (its checksum differs); put the "
            f"idx files of {name} into a folder and give --data {name}:FOLDER"
        )
    write_whole(target, data, "set XDG_CACHE_HOME to a folder that can, or make room")
    return target


def _as_published(data: bytes, digest: str) -> bool:
    if len(digest) == 32:
        return hashlib.md5(data, usedforsecurity=False).hexdigest() == digest
    try:
        return hashlib.sha256(gzip.decompress(data)).hexdigest() == digest
    except (OSError, EOFError, zlib.error):
        return False
