"""What an evaluation is made on: images, each at one noise level, with their clean twins."""

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import mnist, recipes
from .errors import ImageError, InputError, UsageError
from .files import same_place
from .folders import twins
from .images import Reader, find, shown
from .journal import file_digest, fingerprint
from .pixels import unit
from .weights import data_folder

__all__ = ["ArrayPicture", "Case", "FilePicture", "Picture", "Request", "find_cases", "levels"]

Pixels = NDArray[Any]

_TUTORIAL = "gaussian:sigma=0.5,mean=0.5"  # the noise of digits, unless told otherwise


class Picture(Protocol):
    """Where pixels come from; nothing is read before `read`."""

    def read(self) -> Pixels:
        """H x W x C pixels, C in {1, 3}."""

    def digest(self) -> str:
        """A hash of the content."""


@dataclass(frozen=True)
class FilePicture:
    """One page of an image file."""

    path: Path
    page: int = 0

    def read(self) -> Pixels:
        """Decode the page and turn it upright, so that twins and texts agree however it is kept."""
        with Reader(self.path) as reader:
            if self.page >= reader.pages:
                raise ImageError(
                    f"{shown(self.path)}: has {reader.pages} pages, its twin more; "
                    "give both the same pages"
                )
            return np.ascontiguousarray(reader.page(self.page).upright().pixels)

    def digest(self) -> str:
        """Hash the file's bytes, and the page's number."""
        try:
            return f"{file_digest(self.path)}:{self.page}"
        except OSError as error:
            raise ImageError(
                f"{shown(self.path)}: {error.strerror}; check the file's permissions"
            ) from error


@dataclass(frozen=True, eq=False)
class ArrayPicture:
    """Pixels that are in memory already, H x W x C."""

    pixels: Pixels

    def read(self) -> Pixels:
        """Give the pixels."""
        return self.pixels

    def digest(self) -> str:
        """Hash the pixels."""
        return hashlib.sha256(repr(self.pixels.shape).encode() + self.pixels.tobytes()).hexdigest()


@dataclass(frozen=True)
class Case:
    """One image at one noise level.

    Attributes:
        image: name relative to the set; pages of one file after the first have a number.
        number: of the image in the set, from 0; it is the seed of the noise.
        level: the noise to draw, in the language of `recipes`; empty if `noisy` has its own.
        noisy: None if it is to be drawn.
        clean: None without truth.
        text: file with the true text of the pages, form feeds between them; None without.
        page: which of these texts is this image's, from 0.
        label: class of the image, such as a digit; empty if unknown.
        problem: why it cannot be evaluated, such as a missing twin; empty if it can.
    """

    image: str
    number: int
    level: str = ""
    noisy: Picture | None = None
    clean: Picture | None = None
    text: Path | None = None
    page: int = 0
    label: str = ""
    problem: str = ""

    def open(self) -> tuple[Pixels, Pixels | None]:
        """Noisy and clean pixels, H x W x C; drawn noise is float32 and not clipped.

        Raises:
            ImageError: one cannot be read, or they differ in size.
        """
        clean = self.clean.read() if self.clean else None
        if self.noisy:
            noisy = self.noisy.read()
            if clean is not None and noisy.shape[:2] != clean.shape[:2]:
                raise ImageError(
                    f"{self.image}: noisy is {noisy.shape[1]} x {noisy.shape[0]}, clean is "
                    f"{clean.shape[1]} x {clean.shape[0]}; give twins of one size"
                )
            return noisy, clean
        assert clean is not None
        return self._draw(clean)

    def _draw(self, clean: Pixels) -> tuple[Pixels, Pixels]:
        pixels = unit(clean)
        noisy, target = recipes.parse(self.level)(pixels, np.random.default_rng(self.number))
        if target is pixels:
            return noisy, clean
        return noisy, np.clip(target * 255 + 0.5, 0, 255).astype(
            np.uint8
        )  # `scan` moves the target

    def true_text(self) -> str | None:
        """The text of this page, None if there is none.

        Raises:
            ImageError: the file cannot be read, or has no such page.
        """
        if self.text is None:
            return None
        try:
            pages = self.text.read_text(encoding="utf-8-sig").split("\f")
        except (OSError, UnicodeDecodeError) as error:
            raise ImageError(f"{shown(self.text)}: cannot be read as UTF-8 ({error})") from error
        if self.page >= len(pages):
            raise ImageError(
                f"{shown(self.text)}: has no page {self.page + 1}; put form feeds between pages"
            )
        return pages[self.page]

    def digest(self) -> str:
        """Changes when anything does that decides the case's figures.

        Raises:
            ImageError: a file cannot be read.
        """
        parts = {
            "noisy": self.noisy.digest() if self.noisy else None,
            "clean": self.clean.digest() if self.clean else None,
            "level": [self.level, self.number] if self.level else None,
            "text": self.true_text(),
        }
        return fingerprint(parts)


@dataclass(frozen=True)
class Request:
    """What the user asked to evaluate on; see `imgclean eval --help`."""

    folder: Path | None = None
    noisy: str | None = None
    clean: str | None = None
    noise: str | None = None
    text: Path | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        """Take paths as well as strings."""
        for name in ("noisy", "clean"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else os.fspath(value))


def levels(noise: str) -> list[str]:
    """The levels that `--noise` names: ``gaussian:15,25`` are ``gaussian:15``, ``gaussian:25``.

    Raises:
        UsageError: one is wrong.
    """
    found: list[str] = []
    for part in noise.split(","):
        if found and re.fullmatch(r"\s*[\d.]+(-[\d.]+)?\s*", part):
            head, colon, last = found[-1].rpartition(":")
            if "=" in last:
                raise UsageError(
                    f"--noise {noise}: {part.strip()} has no name; write {found[-1]} and every "
                    f"further level whole, with commas between"
                )
            found.append(f"{head}{colon}{part.strip()}")
        elif found and re.match(r"\s*\w+\s*=", part):
            found[-1] += f",{part.strip()}"
        else:
            found.append(part.strip())
    unique: dict[str, str] = {}  # named twice, a level would count every image twice
    for level in found:
        unique.setdefault(repr(recipes.parse(level).steps), level)
    return list(unique.values())


def find_cases(request: Request) -> list[Case]:
    """All cases, in natural order; an image's levels follow each other.

    Raises:
        UsageError: options that contradict each other.
        InputError: a folder does not exist, or holds no images.
    """
    asked, request = request.text, _resolved(request)
    if mnist.is_set(request.clean):
        plain = _digits(request)
    elif request.noisy:
        plain = _pairs(request)
    else:
        plain = _clean_alone(request)
    if asked and not any(case.text for case in plain):
        raise InputError(
            f"{shown(asked)}: has no text of any image; name texts as their images, "
            "such as page1.txt for page1.png"
        )
    drawn = levels(request.noise) if request.noise else [""]
    return [replace(case, level=level) for case in plain[: request.limit] for level in drawn]


def _resolved(request: Request) -> Request:
    """Spell out what a folder, or nothing, stands for."""
    if request.folder is None and not request.noisy and not request.clean:
        if request.noise or request.text:
            raise UsageError("--noise and --text: need images; give --clean DIR or a folder")
        request = replace(request, folder=data_folder("sample_data"))
    if request.folder is not None:
        request = _within(request, request.folder)
    if request.noisy and request.clean and same_place(request.noisy, request.clean):
        raise UsageError(f"--noisy and --clean: both are {request.noisy}; give two folders")
    if request.noisy and request.noise:
        raise UsageError("--noise: the images of --noisy are noisy already; leave one out")
    digits = mnist.is_set(request.clean)
    if digits and request.noisy:
        raise UsageError(f"--clean {request.clean}: draws its noise; leave out --noisy")
    if not request.noisy and not request.noise:
        if not digits:
            raise UsageError("--clean: goes with --noisy DIR, or with --noise such as gaussian:25")
        request = replace(request, noise=_TUTORIAL)
    return request


def _within(request: Request, folder: Path) -> Request:
    if request.noisy or request.clean:
        raise UsageError(f"{shown(folder)}: --noisy and --clean go without a folder before them")
    if not folder.is_dir():
        raise InputError(f"{shown(folder)}: no such folder; check the name")
    noisy, clean, text = (folder / name for name in ("noisy", "clean", "text"))
    wanted = clean if request.noise else noisy
    if not wanted.is_dir():
        raise InputError(
            f"{shown(folder)}: has no folder {wanted.name}/; give --noisy DIR, with its twins in "
            "--clean DIR or without, or --clean DIR with --noise gaussian:25"
        )
    return replace(
        request,
        noisy=None if request.noise else str(noisy),
        clean=str(clean) if clean.is_dir() else None,
        text=request.text or (text if text.is_dir() else None),
    )


def _digits(request: Request) -> list[Case]:
    """The test images of MNIST or Fashion-MNIST, with their labels where these lie beside them."""
    name, _, folder = str(request.clean).partition(":")
    _, test, files = mnist.load_images(name, Path(folder) if folder else None)
    labels = mnist.read_labels(files[1])
    if labels is None:
        labels = [""] * len(test)
    if len(labels) != len(test):
        raise InputError(
            f"{shown(files[1])}: {len(test)} images, but {len(labels)} labels beside them; get "
            "both files again, or take the labels away"
        )
    return [
        Case(f"{name}/{k:05d}", k, clean=ArrayPicture(image[..., None]), label=label)
        for k, (image, label) in enumerate(zip(test, labels, strict=True))
    ]


def _files(folder: str) -> list[tuple[Path, Path]]:
    """Images of a folder: where they are, and their relative names."""
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise InputError(f"{shown(path)}: not a folder; give a folder of images")
    found = find([path]).images
    if not found:
        raise InputError(f"{shown(path)}: holds no image; give another folder")
    return found


def _pages(path: Path) -> int:
    """How many pages a file has; 1 for a damaged one, which fails when it is read."""
    try:
        with Reader(path) as reader:
            return reader.pages
    except ImageError:
        return 1


def _named(relative: Path, page: int) -> str:
    return relative.as_posix() + (f"/{page + 1}" if page else "")


def _pairs(request: Request) -> list[Case]:
    """Noisy images, with their clean twins if `--clean` was given; missing twins are problems."""
    noisy = _files(str(request.noisy))
    clean = {name: path for path, name in _files(request.clean)} if request.clean else {}
    twin_of = twins((name for _, name in noisy), clean)
    cases: list[Case] = []
    for path, relative in noisy:
        twin = clean.pop(twin_of[relative]) if relative in twin_of else None
        problem = ""
        if request.clean and twin is None:
            problem = f"{shown(path)}: no twin in {request.clean}; add one or take it out"
        for page in range(max(_pages(path), _pages(twin) if twin else 1)):
            cases.append(
                Case(
                    _named(relative, page),
                    len(cases),
                    noisy=FilePicture(path, page),
                    clean=FilePicture(twin, page) if twin else None,
                    text=_text(request.text, relative),
                    page=page,
                    label=_label(relative),
                    problem=problem,
                )
            )
    for left, path in clean.items():
        problem = f"{shown(path)}: no twin in {request.noisy}; add one or take it out"
        cases.append(Case(left.as_posix(), len(cases), problem=problem))
    return cases


def _clean_alone(request: Request) -> list[Case]:
    """Clean images that noise is to be drawn on."""
    cases: list[Case] = []
    for path, relative in _files(str(request.clean)):
        for page in range(_pages(path)):
            cases.append(
                Case(
                    _named(relative, page),
                    len(cases),
                    clean=FilePicture(path, page),
                    text=_text(request.text, relative),
                    page=page,
                    label=_label(relative),
                )
            )
    return cases


def _text(folder: Path | None, relative: Path) -> Path | None:
    """The file with an image's text: its name with .txt in place of, or after, its suffix."""
    if folder is None:
        return None
    if not folder.is_dir():
        raise InputError(f"{shown(folder)}: no such folder; check --text")
    names = (relative.with_suffix(".txt"), relative.with_name(relative.name + ".txt"))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _label(relative: Path) -> str:
    """The folder that an image lies in, which is its class in many sets."""
    return relative.parent.name
