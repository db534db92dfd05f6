"""Where training images come from: folders, pairs, noisy images alone, digits, or nowhere.

`open_source` gives batches by step number (the same whoever draws them), pairs to validate
on, and what the user should know about them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from . import mnist, recipes
from .errors import DependencyError, ImageError, InputError, UsageError
from .images import Reader, find, shown
from .neighbours import noise_floor, quarters
from .pages import find_fonts, render_page
from .pairs import Patches, to_tensor
from .recipes import Recipe
from .scenes import render_scene

__all__ = ["Request", "Source", "open_source"]

Array = NDArray[np.float32]
Pixels = NDArray[Any]
Pair = tuple[Array, Array]

_VALIDATION_SIDE = 256  # pixels; larger validation images are cut to their middle
_VALIDATION_MOST = 24  # images; more make every epoch slower and hardly more certain
_VALIDATION_SEED = 20_201  # of the noise on validation images, whatever --seed is
_LISTED = 20  # mismatches named before the rest is only counted
_BUDGET = 3_000_000_000  # bytes of decoded images kept; of larger sets, a window of each
_SHEETS = 24  # synthesised pages and scenes that a batch is cut from
_SHEET = 256  # their side in pixels


@dataclass(frozen=True)
class Request:
    """What the user asked for; see `imgclean train --help`.

    Attributes:
        fixed: the model takes one size only, so patches have that of the images or 32.
        multiple: patches are a multiple of it.
        steps: batches an epoch; None for what suits the images.
    """

    data: str | None = None
    noisy: str | None = None
    clean: str | None = None
    noise: str | None = None
    validation: str | None = None
    patch: int | None = None
    batch_size: int = 32
    steps: int | None = None
    seed: int = 0
    fixed: bool = False
    multiple: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Source:
    """Images to train on.

    Attributes:
        batches: noisy and clean tensors by step number.
        validation: noisy and clean H x W x C arrays.
        floors: mean squared error that each pair has by noise in `clean`; 0 if it is clean.
        channels, patch: of the batches.
        steps: batches an epoch.
        passes: batches in one pass over all images; None if they are endless.
        what: one line about the images.
        fingerprint: changes when the images do.
        notes: what the user should know: files skipped, validation that leaks.
        on_device: batches are on the device already.
        held_out: noisy images that were not trained on, where there are no clean ones.
    """

    batches: Dataset[tuple[Tensor, Tensor]]
    validation: list[Pair]
    channels: int
    patch: int
    steps: int
    what: str
    fingerprint: str
    passes: int | None = None
    floors: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on_device: bool = False
    held_out: list[Array] = field(default_factory=list)


def open_source(request: Request) -> Source:
    """Open what `--data`, `--noisy` and `--clean` name, or synthesise images.

    Raises:
        UsageError: options that contradict each other, or a wrong `--noise`.
        InputError: nothing to train on; pairs that do not match, all of them listed.
    """
    if request.clean and not request.noisy:
        raise UsageError("--clean: goes with --noisy; for clean images alone use --data DIR")
    if request.data and request.noisy:
        raise UsageError("--data and --noisy: use one of them")
    if request.noisy and request.noise:
        raise UsageError("--noise: the images of --noisy are noisy already; leave it out")
    if request.data and request.data.partition(":")[0] in mnist.SETS:
        return _digits(request)
    if request.data:
        return _clean_folder(request)
    if request.noisy:
        return _pair_folders(request) if request.clean else _noisy_folder(request)
    return _synthesised(request)


# --- folders -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Picture:
    """An image of the user's: where it is from, its pixels, and their digest."""

    name: Path
    pixels: Pixels
    digest: bytes


def _read_folder(folder: str, notes: list[str]) -> list[_Picture]:
    """All pages of all images in a folder; what cannot be read is noted and skipped."""
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise InputError(f"{shown(path)}: not a folder; give a folder of images")
    pictures, bad = [], []
    for source, relative in find([path]).images:
        try:
            with Reader(source) as reader:
                for index in range(reader.pages):
                    name = relative if index == 0 else relative / str(index)
                    pixels = np.ascontiguousarray(reader.page(index).pixels)
                    pictures.append(_Picture(name, pixels, _digest(pixels)))
        except ImageError as error:
            bad.append(str(error))
    if not pictures:
        raise InputError(f"{shown(path)}: holds no readable image; give another folder")
    if bad:
        notes += bad[:_LISTED]
        notes.append(f"{shown(path)}: {len(bad)} unreadable files skipped, {len(pictures)} used")
    return pictures


def _digest(pixels: Pixels) -> bytes:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()


def _unit(pixels: Pixels) -> Array:
    """Values in [0, 1], from any integer type."""
    if pixels.dtype.kind == "f":
        return np.asarray(pixels, np.float32)
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _coloured(image: Array, channels: int) -> Array:
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
    return np.ascontiguousarray(image.mean(axis=2, keepdims=True))


@dataclass(frozen=True)
class _Set:
    """Images cut into patches; one array an image, or noisy and clean ones of equal size."""

    items: list[tuple[Pixels, ...]]
    patch: int
    channels: int

    def shares(self) -> NDArray[np.float64]:
        """How often each image is drawn: by its area, up to a third of a megapixel."""
        area = [min(item[0].shape[0] * item[0].shape[1], 300_000) for item in self.items]
        return np.asarray(np.array(area, np.float64) / sum(area))

    def draw(self, rng: np.random.Generator, shares: NDArray[np.float64]) -> tuple[Array, ...]:
        """The same random place of each array of one item, flipped and turned alike."""
        item = self.items[int(rng.choice(len(self.items), p=shares))]
        height, width = item[0].shape[:2]
        top = int(rng.integers(height - self.patch + 1))
        left = int(rng.integers(width - self.patch + 1))
        flip, turns = rng.random() < 0.5, int(rng.integers(4))
        patches = []
        for pixels in item:
            patch = pixels[top : top + self.patch, left : left + self.patch]
            patch = np.rot90(patch[:, ::-1] if flip else patch, turns)
            patches.append(_coloured(_unit(np.ascontiguousarray(patch)), self.channels))
        return tuple(patches)

    def steps(self, batch: int) -> int:
        """Batches that show about as many pixels as there are, within reason."""
        pixels = sum(item[0].shape[0] * item[0].shape[1] for item in self.items)
        return int(np.clip(pixels / (self.patch**2 * batch), 20, 1000))


def _patch_size(request: Request, smallest: int) -> int:
    patch = request.patch or (32 if request.fixed else 64)
    if not request.patch and smallest < patch:
        patch = max(smallest // request.multiple, 1) * request.multiple
    if patch % request.multiple:
        raise UsageError(f"--patch {patch}: this model needs a multiple of {request.multiple}")
    return patch


def _fitting(
    pictures: Sequence[_Picture], request: Request, notes: list[str]
) -> tuple[list[_Picture], int]:
    """The pictures that a patch fits into, and its side; smaller ones are noted."""
    sides = [min(picture.pixels.shape[:2]) for picture in pictures]
    patch = _patch_size(request, int(np.median(sides)))
    fits = [p for p, side in zip(pictures, sides, strict=True) if side >= patch]
    if not fits:
        raise UsageError(
            f"--patch {patch}: all images are smaller; the largest allows --patch {max(sides)}"
        )
    small = [p for p, side in zip(pictures, sides, strict=True) if side < patch]
    notes += [f"{shown(p.name)}: smaller than the patch of {patch}" for p in small[:_LISTED]]
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
    return min(max(1, round(share * count)), count - 1)


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


def _fingerprint(pictures: Sequence[_Picture]) -> str:
    return hashlib.sha256(b"".join(sorted(p.digest for p in pictures))).hexdigest()[:16]


def _middle(pixels: Pixels, channels: int | None = None) -> Array:
    """The middle of an image, small enough to validate on often."""
    top, left = (max(0, (length - _VALIDATION_SIDE) // 2) for length in pixels.shape[:2])
    cut = _unit(pixels[top : top + _VALIDATION_SIDE, left : left + _VALIDATION_SIDE])
    return _coloured(cut, channels) if channels else np.ascontiguousarray(cut)


def _channels(pictures: Sequence[_Picture], request: Request) -> int:
    grey = all(picture.pixels.shape[2] == 1 for picture in pictures)
    return 1 if request.fixed and grey else 3


def _kept(pictures: Sequence[_Picture], patch: int) -> list[Pixels]:
    """Pixels within the memory budget: all, or an equal window of each image."""
    total = sum(picture.pixels.nbytes for picture in pictures)
    if total <= _BUDGET:
        return [picture.pixels for picture in pictures]
    side = max(patch, int((_BUDGET / len(pictures) / 3) ** 0.5))
    return [np.ascontiguousarray(picture.pixels[:side, :side]) for picture in pictures]


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


def _clean_folder(request: Request) -> Source:
    """Clean images: noise is drawn afresh for every patch."""
    notes: list[str] = []
    recipe = recipes.parse(request.noise or "photo")
    pictures = _read_folder(str(request.data), notes)
    fits, patch = _fitting(pictures, request, notes)
    train, held = _validation_pictures(fits, request, notes)
    channels = _channels(pictures, request)
    images = _Set([(pixels,) for pixels in _kept(train, patch)], patch, channels)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> Pair:
        return recipe(images.draw(rng, shares)[0], rng)

    rng = np.random.default_rng(_VALIDATION_SEED)
    return Source(
        batches=Patches(draw, request.batch_size, request.seed),
        validation=[recipe(_middle(p.pixels, channels), rng) for p in held],
        channels=channels,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} clean images of {request.data}, noise {recipe.text}",
        fingerprint=_fingerprint(pictures),
        notes=notes,
    )


def _pair_folders(request: Request) -> Source:
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
    noisy_ones = _kept([twin[id(clean)] for clean in train], patch)
    items = list(zip(noisy_ones, _kept(train, patch), strict=True))
    images = _Set([(noisy, clean) for noisy, clean in items], patch, channels)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> Pair:
        noisy, clean = images.draw(rng, shares)
        return noisy, clean

    held = held[:_VALIDATION_MOST]
    return Source(
        batches=Patches(draw, request.batch_size, request.seed),
        validation=[
            (_middle(twin[id(p)].pixels, channels), _middle(p.pixels, channels)) for p in held
        ],
        channels=channels,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} pairs of {request.noisy} and {request.clean}",
        fingerprint=_fingerprint([picture for pair in pairs for picture in pair]),
        notes=notes,
    )


def _match(noisy: str, clean: str, notes: list[str]) -> list[tuple[_Picture, _Picture]]:
    """Pairs by relative name; every mismatch is listed.

    Raises:
        InputError: a twin is missing or of another size.
    """
    ones = {picture.name: picture for picture in _read_folder(noisy, notes)}
    others = {picture.name: picture for picture in _read_folder(clean, notes)}
    wrong = [
        f"{shown(Path(noisy) / n)}: no twin in {clean}" for n in sorted(set(ones) - set(others))
    ]
    wrong += [
        f"{shown(Path(clean) / n)}: no twin in {noisy}" for n in sorted(set(others) - set(ones))
    ]
    for name in sorted(set(ones) & set(others)):
        one, other = (group[name].pixels.shape[1::-1] for group in (ones, others))
        if one != other:
            wrong.append(
                f"{shown(name)}: {one[0]} x {one[1]} in {noisy}, {other[0]} x {other[1]} in {clean}"
            )
    if wrong:
        more = f"\n  and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        raise InputError(
            f"{noisy} and {clean}: not pairs; give each image a twin of the same relative name "
            "and size:\n  " + "\n  ".join(wrong[:_LISTED]) + more
        )
    return [(ones[name], others[name]) for name in sorted(ones)]


def _noisy_folder(request: Request) -> Source:
    """Noisy images alone, for `neighbours`: both sides of a batch are the noisy patch."""
    if request.fixed:
        raise UsageError(
            "--noisy without --clean: trains on halved images, so it needs a model of any size; "
            "use --model unet-s"
        )
    notes: list[str] = []
    pictures = _read_folder(str(request.noisy), notes)
    asked = Request(**{**request.__dict__, "multiple": 2 * request.multiple})
    fits, patch = _fitting(pictures, asked, notes)
    train, held = _validation_pictures(fits, request, notes)
    images = _Set([(pixels,) for pixels in _kept(train, patch)], patch, 3)
    shares = images.shares()

    def draw(rng: np.random.Generator) -> Pair:
        patch = images.draw(rng, shares)[0]
        return patch, patch

    noisy = [_middle(picture.pixels, 3) for picture in held]
    parts = [quarters(image) for image in noisy]
    return Source(
        batches=Patches(draw, request.batch_size, request.seed),
        validation=[(first, second) for first, second, _, _ in parts],
        floors=[noise_floor(image) for image in noisy],
        channels=3,
        patch=patch,
        steps=request.steps or images.steps(request.batch_size),
        what=f"{len(train)} noisy images of {request.noisy}, no clean ones",
        fingerprint=_fingerprint(pictures),
        notes=notes,
        held_out=noisy,
    )


# --- digits ------------------------------------------------------------------------------


class _Digits(Dataset[tuple[Tensor, Tensor]]):
    """All images as one tensor on the device; a batch is an index and a draw of noise.

    Every pass has its own permutation; images that do not fill a batch wait for the next.
    """

    def __init__(self, images: Tensor, recipe: Recipe, batch: int, seed: int) -> None:
        self.images, self.recipe, self.batch, self.seed = images, recipe, batch, seed
        self.passes = max(1, len(images) // batch)
        self._order: tuple[int, Tensor] | None = None

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        number, place = divmod(step, self.passes)
        if self._order is None or self._order[0] != number:
            rng = np.random.default_rng([self.seed, 2, number])
            order = torch.from_numpy(rng.permutation(len(self.images)))
            self._order = number, order.to(self.images.device)
        index = self._order[1][place * self.batch : (place + 1) * self.batch]
        clean = self.images[index].float().div_(255)
        if self.recipe.on_tensors:
            generator = torch.Generator(self.images.device)
            generator.manual_seed((self.seed << 32) + step)
            return self.recipe.on_batch(clean, generator), clean
        rng = np.random.default_rng([self.seed, 3, step])
        pairs = [self.recipe(_channels_last(image), rng) for image in clean]
        return to_tensor([noisy for noisy, _ in pairs]), to_tensor([c for _, c in pairs])


def _channels_last(image: Tensor) -> Array:
    return np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())


def _digits(request: Request) -> Source:
    """MNIST or Fashion-MNIST: trained on the training images, validated on the test images."""
    name, _, folder = str(request.data).partition(":")
    if request.validation:
        raise UsageError(f"--validation: {name} has its own test images; leave it out")
    if request.patch:
        raise UsageError(f"--patch: the images of {name} are taken whole; leave it out")
    train, test, files = mnist.load_images(name, Path(folder) if folder else None)
    recipe = recipes.parse(request.noise or "gaussian:sigma=0.5,mean=0.5")
    images = torch.from_numpy(train.copy())[:, None]
    margin = -train.shape[1] % request.multiple
    if not request.fixed:  # the network of any size works on colour and multiples
        pad = (margin // 2, margin - margin // 2) * 2
        images = torch.nn.functional.pad(images, pad).expand(-1, 3, -1, -1).contiguous()
    device = request.device if recipe.on_tensors else "cpu"
    batches = _Digits(images.to(device), recipe, request.batch_size, request.seed)
    rng = np.random.default_rng(_VALIDATION_SEED)
    return Source(
        batches=batches,
        validation=[recipe(_unit(image[..., None]), rng) for image in test],
        channels=images.shape[1],
        patch=images.shape[2],
        steps=request.steps or batches.passes,
        passes=batches.passes,
        what=f"{len(train)} images of {name}, noise {recipe.text}",
        fingerprint=hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()[:16],
        on_device=recipe.on_tensors,
    )


# --- synthesised -------------------------------------------------------------------------


class _Sheets(Dataset[tuple[Tensor, Tensor]]):
    """Patches of rendered pages and scenes that never end and never repeat.

    Sheet number k is the same whoever renders it. A batch is cut from `_SHEETS` of them,
    and every second batch lets the oldest go.
    """

    def __init__(
        self, fonts: list[Path], noise: Recipe | None, patch: int, batch: int, seed: int
    ) -> None:
        self.fonts, self.noise, self.patch = fonts, noise, patch
        self.batch, self.seed = batch, seed
        self.sheet = lru_cache(maxsize=2 * _SHEETS)(self._render)

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "sheet"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.sheet = lru_cache(maxsize=2 * _SHEETS)(self._render)

    def _render(self, number: int) -> NDArray[np.uint8]:
        """Sheet `number`: pages and scenes take turns."""
        rng = np.random.default_rng([self.seed, 4, number])
        if number % 2 or not self.fonts:
            return render_scene(rng, _SHEET, _SHEET)
        dpi = float(rng.uniform(90, 200))
        colour = bool(rng.random() < 0.3)
        page, _ = render_page(rng, _SHEET, _SHEET, self.fonts, dpi=dpi, colour=colour)
        return page

    def pair(self, number: int, rng: np.random.Generator, side: int) -> Pair:
        """A noisy and a clean side x side patch of one sheet, three channels."""
        sheet = self.sheet(number)
        top, left = (int(v) for v in rng.integers(_SHEET - side + 1, size=2))
        clean = _unit(sheet[top : top + side, left : left + side])
        scene = bool(number % 2) or not self.fonts
        recipe = self.noise or _RECIPES["photo" if scene else "scan"]
        noisy, target = recipe(clean, rng)
        return _coloured(noisy, 3), _coloured(target, 3)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, 5, step])
        numbers = step // 2 + rng.integers(_SHEETS, size=self.batch)
        pairs = [self.pair(int(number), rng, self.patch) for number in numbers]
        return to_tensor([noisy for noisy, _ in pairs]), to_tensor([clean for _, clean in pairs])


_RECIPES = {name: recipes.parse(name) for name in ("photo", "scan")}


def _synthesised(request: Request) -> Source:
    """Pages and scenes out of nothing; validated on others of the same kind."""
    if request.validation:
        raise UsageError("--validation: goes with --data or --noisy; leave it out")
    notes: list[str] = []
    try:
        fonts = find_fonts()
    except DependencyError as error:
        fonts = []
        notes.append(f"{error}; scenes alone are trained on")
    noise = recipes.parse(request.noise) if request.noise else None
    patch = _patch_size(request, _SHEET)
    if patch > _SHEET:
        raise UsageError(f"--patch {patch}: synthesised images allow up to {_SHEET}")
    batches = _Sheets(fonts, noise, patch, request.batch_size, request.seed)
    judged = _Sheets(fonts, noise, patch, request.batch_size, _VALIDATION_SEED)
    rng = np.random.default_rng(_VALIDATION_SEED)
    text = noise.text if noise else "scan on pages, photo on scenes"
    what = "pages and scenes" if fonts else "scenes"
    return Source(
        batches=batches,
        validation=[judged.pair(number, rng, 192) for number in range(12)],
        channels=3,
        patch=patch,
        steps=request.steps or 100,
        what=f"synthesised {what}, noise {text}",
        fingerprint=hashlib.sha256("\n".join(p.name for p in fonts).encode()).hexdigest()[:16],
        notes=notes,
    )
