"""Training images in folders: clean ones, pairs, or noisy ones alone."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import recipes
from .alone import NoiseLine, Risk, recorrupt
from .choose import choose
from .errors import ImageError, InputError, UsageError
from .files import same_place
from .folders import twins
from .images import Reader, find, shown
from .pairs import Patches, Twins
from .pixels import unit
from .source import (
    VALIDATION_SEED,
    Array,
    Pair,
    Pixels,
    Request,
    Source,
    coloured,
    patch_size,
)

__all__ = ["clean_folder", "noisy_folder", "pair_folders"]

_VALIDATION_SIDE = 256  # pixels; larger validation images are cut to their middle
_MEASURED_SIDE = 1024  # pixels of a noisy image that its noise is measured in
_VALIDATION_MOST = 24  # images; more make every epoch slower and hardly more certain
_BUDGET = 3_000_000_000  # bytes of decoded images kept; of larger folders, the middle of each


@dataclass(frozen=True)
class _Picture:
    """An image of the user's, or the middle of it.

    Attributes:
        name: where it is from, relative to the folder.
        digest, size: of the whole image; height and width.
    """

    name: Path
    pixels: Pixels
    digest: bytes
    size: tuple[int, int]

    def cut(self, side: int) -> "_Picture":
        """Its middle; of an image and of its middle the same one, as sides are even."""
        return replace(self, pixels=np.ascontiguousarray(_centre(self.pixels, side)))


def _centre(pixels: Pixels, side: int) -> Pixels:
    """A view of the middle, at most `side` high and wide; `side` is even."""
    top, left = (max(0, length // 2 - side // 2) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _read_folder(folder: str, notes: list[str], skipped: set[Path] | None = None) -> list[_Picture]:
    """All pages of all images in a folder; what cannot be read is noted and skipped.

    Of a folder that exceeds the memory budget the middle of each image is kept, of equal size.
    """
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise InputError(f"{shown(path)}: not a folder; give a folder of images")
    pictures: list[_Picture] = []
    bad, side, kept = [], None, 0
    for source, relative in find([path]).images:
        try:
            for picture in _pages(source, relative):
                pictures.append(picture.cut(side) if side else picture)
                kept += pictures[-1].pixels.nbytes
                if kept > _BUDGET:
                    deep = max(p.pixels[:1, :1].nbytes for p in pictures)
                    side = int((_BUDGET / 2 / deep / len(pictures)) ** 0.5) // 2 * 2
                    pictures = [p.cut(side) for p in pictures]
                    kept = sum(p.pixels.nbytes for p in pictures)
        except ImageError as error:
            bad.append(str(error))
            if skipped is not None:
                skipped.add(relative)
    if not pictures:
        cure = "give another folder"
        if any(path.glob("*-ubyte*")):
            cure = f"it holds MNIST's files, which --data mnist:{shown(path)} reads"
        raise InputError("\n  ".join([f"{shown(path)}: holds no readable image; {cure}", *bad]))
    if bad:
        notes += bad
        notes.append(f"{shown(path)}: unreadable files: {len(bad)}; images used: {len(pictures)}")
    if side:
        notes.append(
            f"{shown(path)}: over {_BUDGET / 1e9:g} GB of pixels, so the middle {side} x {side} of "
            "each image is used; cut large images into several files to use all of them"
        )
    return pictures


def _pages(source: Path, relative: Path) -> Iterator[_Picture]:
    with Reader(source) as reader:
        for index in range(reader.pages):
            name = relative if index == 0 else relative / str(index + 1)
            pixels = np.ascontiguousarray(reader.page(index).upright().pixels)
            yield _Picture(name, pixels, _digest(pixels), pixels.shape[:2])


def _digest(pixels: Pixels) -> bytes:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()


@dataclass(frozen=True)
class _Set:
    """Images cut into patches; one array an image, or noisy and clean ones of equal size."""

    items: list[tuple[Pixels, ...]]
    patch: int

    def shares(self) -> NDArray[np.float64]:
        """How often each image is drawn: by its area, up to a third of a megapixel."""
        area = [min(item[0].shape[0] * item[0].shape[1], 300_000) for item in self.items]
        return np.asarray(np.array(area, np.float64) / sum(area))

    def draw(
        self, rng: np.random.Generator, shares: NDArray[np.float64]
    ) -> tuple[int, tuple[Array, ...]]:
        """An item's index and the same random place of its arrays, flipped and turned alike.

        Grey stays one channel, so that noise drawn on it is one noise.
        """
        index = int(rng.choice(len(self.items), p=shares))
        item = self.items[index]
        height, width = item[0].shape[:2]
        top = int(rng.integers(height - self.patch + 1))
        left = int(rng.integers(width - self.patch + 1))
        flip, turns = rng.random() < 0.5, int(rng.integers(4))
        patches = []
        for pixels in item:
            patch = pixels[top : top + self.patch, left : left + self.patch]
            patch = np.rot90(patch[:, ::-1] if flip else patch, turns)
            patches.append(unit(np.ascontiguousarray(patch)))
        return index, tuple(patches)

    def steps(self, batch: int) -> int:
        """Batches that show about as many pixels as there are, within reason."""
        pixels = sum(item[0].shape[0] * item[0].shape[1] for item in self.items)
        return int(np.clip(pixels / (self.patch**2 * batch), 20, 1000))


def _fitting(
    pictures: Sequence[_Picture], request: Request, notes: list[str]
) -> tuple[list[_Picture], int]:
    """The pictures that a patch fits into, and its side; smaller ones are noted."""
    sides = [min(picture.pixels.shape[:2]) for picture in pictures]
    patch = patch_size(request, int(np.median(sides)))
    fits = [p for p, side in zip(pictures, sides, strict=True) if side >= patch]
    if not fits:
        largest = max(sides) // request.multiple * request.multiple
        if not largest:
            raise UsageError(
                f"all images are smaller than the {request.multiple} x {request.multiple} that "
                "this model needs; give larger ones"
            )
        raise UsageError(
            f"--patch {patch}: all images are smaller; the largest allows --patch {largest}"
        )
    small = [p for p, side in zip(pictures, sides, strict=True) if side < patch]
    usual = patch_size(request, 1 << 30)
    if patch < usual:
        notes.append(f"patches of {patch} pixels: half of the images or more are under {usual}")
    notes += [f"{shown(p.name)}: smaller than the patch of {patch}" for p in small]
    if small:
        notes.append(f"{len(small)} images smaller than the patch skipped, {len(fits)} used")
    return fits, patch


def _held_out(count: int, request: Request, notes: list[str]) -> int:
    """How many of so many images a fraction holds out for validation."""
    text = request.validation or "0.1"
    try:
        share = float(text)
    except ValueError:
        raise InputError(f"--validation {text}: no such folder, nor a fraction") from None
    if not 0 < share < 1:
        raise UsageError(f"--validation {text}: a fraction lies between 0 and 1")
    if count == 1:
        notes.append("only one image: validation is part of training, so its figures flatter")
        return 0
    return min(max(1, round(share * count)), count - 1, _VALIDATION_MOST)


def _is_folder(request: Request) -> bool:
    return bool(request.validation) and Path(request.validation or "").is_dir()


def _split(
    groups: Sequence[Sequence[_Picture]], request: Request, notes: list[str]
) -> tuple[list[_Picture], list[_Picture]]:
    """Hold out whole groups, drawn by the seed; a single one serves for both."""
    count = _held_out(len(groups), request, notes)
    order = np.random.default_rng([request.seed, 1]).permutation(len(groups))
    chosen = set(order[:count].tolist())
    train = [p for k, group in enumerate(groups) if k not in chosen for p in group]
    held = [p for k, group in enumerate(groups) if k in chosen or not count for p in group]
    return train, held[:_VALIDATION_MOST]


def _warn_of_leaks(train: Sequence[_Picture], held: Sequence[_Picture], notes: list[str]) -> None:
    known = {picture.digest for picture in train}
    shared = [shown(picture.name) for picture in held if picture.digest in known]
    if shared:
        notes.append(
            f"{len(shared)} validation images are part of training too, so figures flatter: "
            + ", ".join(shared[:5])
        )


def _fingerprint(pictures: Sequence[_Picture], held: Sequence[_Picture]) -> str:
    """Of training and validation images, in their order."""
    return hashlib.sha256(b"".join(p.digest for p in (*pictures, *held))).hexdigest()[:16]


def _middle(pixels: Pixels, side: int = _VALIDATION_SIDE) -> Array:
    """The middle of an image, small enough to validate on often."""
    return np.ascontiguousarray(unit(_centre(pixels, side)))


def _coloured(pair: Pair, channels: int) -> Pair:
    one, other = pair
    return coloured(one, channels), coloured(other, channels)


def _channels(pictures: Sequence[_Picture], request: Request) -> int:
    grey = all(picture.pixels.shape[2] == 1 for picture in pictures)
    return 1 if request.fixed and grey else 3


def _validation_pictures(
    pictures: list[_Picture], request: Request, notes: list[str]
) -> tuple[list[_Picture], list[_Picture]]:
    """Training and validation pictures of a folder of single images."""
    if not _is_folder(request):
        distinct: dict[bytes, list[_Picture]] = {}
        for picture in pictures:
            distinct.setdefault(picture.digest, []).append(picture)
        return _split(list(distinct.values()), request, notes)
    held = _read_folder(str(request.validation), notes)[:_VALIDATION_MOST]
    _warn_of_leaks(pictures, held, notes)
    return pictures, held


def clean_folder(request: Request) -> Source:
    """Clean images: noise is drawn afresh for every patch."""
    notes: list[str] = []
    recipe = recipes.parse("photo" if request.noise is None else request.noise)
    pictures = _read_folder(str(request.data), notes)
    fits, patch = _fitting(pictures, request, notes)
    train, held = _validation_pictures(fits, request, notes)
    channels = _channels(pictures, request)
    images = _Set([(picture.pixels,) for picture in train], patch)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> Pair:
        return _coloured(recipe(images.draw(rng, shares)[1][0], rng), channels)

    checks = [_middle(picture.pixels) for picture in held]
    if channels == 1:  # those of --validation may have colour
        checks = [coloured(clean, 1) for clean in checks]
    rng = np.random.default_rng(VALIDATION_SEED)
    return Source(
        batches=Patches(draw, request.batch_size, request.seed),
        validation=[_coloured(recipe(clean, rng), channels) for clean in checks],
        channels=channels,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} clean images of {request.data}, noise {recipe.text}",
        fingerprint=_fingerprint(pictures, held),
        notes=notes,
    )


def pair_folders(request: Request) -> Source:
    """Noisy images and their clean twins of the same relative name."""
    notes: list[str] = []
    pairs = _match(str(request.noisy), str(request.clean), notes)
    fits, patch = _fitting([clean for _, clean in pairs], request, notes)
    usable = {id(picture) for picture in fits}
    pairs = [pair for pair in pairs if id(pair[1]) in usable]
    twin = {id(clean): noisy for noisy, clean in pairs}
    if _is_folder(request):
        folder = Path(str(request.validation))
        more = _match(str(folder / "noisy"), str(folder / "clean"), notes)
        twin |= {id(clean): noisy for noisy, clean in more}
        train, held = [clean for _, clean in pairs], [clean for _, clean in more]
        _warn_of_leaks(train, held, notes)
    else:  # several noisy versions of one clean page belong to one side
        pages: dict[bytes, list[_Picture]] = {}
        for _, clean in pairs:
            pages.setdefault(clean.digest, []).append(clean)
        train, held = _split(list(pages.values()), request, notes)
    channels = _channels([picture for pair in pairs for picture in pair], request)
    images = _Set([(twin[id(clean)].pixels, clean.pixels) for clean in train], patch)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> Pair:
        _, (noisy, clean) = images.draw(rng, shares)
        return _coloured((noisy, clean), channels)

    held = held[:_VALIDATION_MOST]
    on_paper = _are_pages(train)
    return Source(
        batches=Patches(draw, request.batch_size, request.seed),
        validation=[
            _coloured((_middle(twin[id(p)].pixels), _middle(p.pixels)), channels) for p in held
        ],
        channels=channels,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} pairs of {'pages, ' * on_paper}{request.noisy} and {request.clean}",
        pages=on_paper,
        fingerprint=_fingerprint(
            [picture for pair in pairs for picture in pair], [*held, *(twin[id(p)] for p in held)]
        ),
        notes=notes,
    )


def _are_pages(pictures: Sequence[_Picture]) -> bool:
    """Whether most of the pictures, or of eight to sixteen spread over them, are ink on paper."""
    some = pictures[:: -(-len(pictures) // 16)]
    return 2 * sum(choose(picture.pixels).name == "scan" for picture in some) > len(some)


def _stem(name: Path) -> Path:
    return name.with_suffix("") if name.name else name


def _file(name: Path) -> Path:
    """The file of an image: pages after the first are named FILE/NUMBER."""
    return name.parent if name.name.isdecimal() else name


def _named_alike(ones: dict[Path, _Picture], others: dict[Path, _Picture]) -> dict[Path, _Picture]:
    """The others, each with the name of its twin if it has one."""
    name_of = {twin: name for name, twin in twins(map(_file, ones), map(_file, others)).items()}
    named = {}
    for name, picture in others.items():
        file = _file(name)
        twin = name_of.get(file, file)
        named[twin if file == name else twin / name.name] = picture
    return named


def _match(noisy: str, clean: str, notes: list[str]) -> list[tuple[_Picture, _Picture]]:
    """Pairs by relative name, or by that without its suffix; every mismatch is listed.

    Raises:
        UsageError: both folders are one.
        InputError: a twin is missing or of another size.
    """
    if same_place(noisy, clean):
        raise UsageError(f"--noisy and --clean: both are {noisy}; give two folders")
    skipped: set[Path] = set()
    ones = {picture.name: picture for picture in _read_folder(noisy, notes, skipped)}
    others = {picture.name: picture for picture in _read_folder(clean, notes, skipped)}
    lost = set(map(_stem, skipped))
    for group, other in ((ones, others), (others, ones)):  # with an unreadable file goes its twin
        for name in list(group):
            alike = name not in other and _stem(_file(name)) in lost
            if alike or not skipped.isdisjoint((name, name.parent)):
                del group[name]
    others = _named_alike(ones, others)
    if skipped and not ones:
        raise InputError(
            f"{noisy} and {clean}: no pair of which both can be read\n  " + "\n  ".join(notes)
        )
    wrong = [
        f"{shown(Path(noisy) / n)}: no twin in {clean}" for n in sorted(set(ones) - set(others))
    ]
    wrong += [
        f"{shown(Path(clean) / n)}: no twin in {noisy}" for n in sorted(set(others) - set(ones))
    ]
    for name in sorted(set(ones) & set(others)):
        one, two = (group[name].size[::-1] for group in (ones, others))
        if one != two:
            wrong.append(
                f"{shown(name)}: {one[0]} x {one[1]} in {noisy}, {two[0]} x {two[1]} in {clean}"
            )
    if wrong:
        raise InputError(
            f"{noisy} and {clean}: not pairs; give each image a twin of the same relative name "
            "and size:\n  " + "\n  ".join(wrong)
        )
    return [_alike(ones[name], others[name]) for name in sorted(ones)]


def _alike(noisy: _Picture, clean: _Picture) -> tuple[_Picture, _Picture]:
    """The same part of both, where memory allowed different parts."""
    sides = {side for picture in (noisy, clean) for side in picture.pixels.shape[:2]}
    if noisy.pixels.shape[:2] == clean.pixels.shape[:2]:
        return noisy, clean
    return noisy.cut(min(sides)), clean.cut(min(sides))


def _one_channel(pixels: Pixels) -> Pixels:
    """One channel of what is grey but kept in colour: its channels share one noise."""
    first = pixels[..., :1]
    return np.ascontiguousarray(first) if (pixels == first).all() else pixels


def noisy_folder(request: Request) -> Source:
    """Noisy images alone: both sides of a batch are made of the noisy patch (`alone`)."""
    if request.fixed:
        raise UsageError(
            "--noisy without --clean: needs a model for images of any size; use --model unet-s"
        )
    notes: list[str] = []
    pictures = _read_folder(str(request.noisy), notes)
    fits, patch = _fitting(pictures, request, notes)
    train, held = _validation_pictures(fits, request, notes)
    plain = [_one_channel(picture.pixels) for picture in train]
    lines = [NoiseLine.of(_middle(pixels, _MEASURED_SIDE)) for pixels in plain]
    images = _Set([(pixels,) for pixels in plain], patch)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> list[Pair]:
        index, (patch,) = images.draw(rng, shares)
        pairs = recorrupt(patch, lines[index], rng)
        if patch.shape[2] == 1:  # of the target and of its noise's strength
            return [(coloured(one, 3), np.repeat(other, 3, axis=2)) for one, other in pairs]
        return pairs

    noisy = [_middle(_one_channel(picture.pixels)) for picture in held]
    return Source(
        batches=Twins(draw, request.batch_size, request.seed),
        validation=[_coloured((image, image), 3) for image in noisy],
        risks=[Risk(image, number) for number, image in enumerate(noisy)],
        leaks=bool({p.digest for p in train} & {p.digest for p in held}),
        channels=3,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} noisy images of {request.noisy}, no clean ones",
        fingerprint=_fingerprint(pictures, held),
        notes=notes,
    )
