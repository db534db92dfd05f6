"""Where training images come from: folders, pairs, noisy images alone, digits, or nowhere.

`open_source` gives batches by step number (the same whoever draws them), pairs to validate
on, and what the user should know about them.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from . import mnist, recipes
from .errors import DependencyError, UsageError
from .pages import find_fonts, render_page
from .pairs import to_tensor
from .picture_folders import clean_folder, noisy_folder, pair_folders
from .pixels import unit
from .recipes import Recipe
from .scenes import render_scene
from .source import VALIDATION_SEED, Array, Pair, Request, Source, coloured, patch_size

__all__ = ["Request", "Source", "open_source"]

_SHEETS = 24  # synthesised pages and scenes that a batch is cut from
_SHEET = 256  # their side in pixels
_TUTORIAL = "gaussian:sigma=0.5,mean=0.5"


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
    if request.noisy and request.noise is not None:
        raise UsageError("--noise: the images of --noisy are noisy already; leave it out")
    if mnist.is_set(request.data):
        return _digits(request)
    if request.data:
        return clean_folder(request)
    if request.noisy:
        return pair_folders(request) if request.clean else noisy_folder(request)
    return _synthesised(request)


# --- digits ------------------------------------------------------------------------------


class _Digits(Dataset[tuple[Tensor, Tensor]]):
    """All images as one tensor on the device; a batch is an index and a draw of noise.

    Every pass has its own permutation; images that do not fill a batch wait for the next pass, or
    are a smaller batch of their own if passes are `whole`.
    """

    def __init__(
        self, images: Tensor, channels: int, recipe: Recipe, batch: int, seed: int, whole: bool
    ) -> None:
        self.images, self.channels = images, channels
        self.recipe, self.batch, self.seed = recipe, batch, seed
        self.passes = -(-len(images) // batch) if whole else max(1, len(images) // batch)
        self._order: tuple[int, Tensor] | None = None

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        noisy, clean = self._draw(step)
        return noisy.expand(-1, self.channels, -1, -1), clean.expand(-1, self.channels, -1, -1)

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        number, place = divmod(step, self.passes)
        kept = self._order  # threads of different passes may come here at once
        if kept is None or kept[0] != number:
            rng = np.random.default_rng([self.seed, 2, number])
            order = torch.from_numpy(rng.permutation(len(self.images)))
            self._order = kept = number, order.to(self.images.device)
        index = kept[1][place * self.batch : (place + 1) * self.batch]
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
    recipe = recipes.parse(request.noise if request.noise is not None else _TUTORIAL)
    images = torch.from_numpy(train.copy())[:, None]
    if request.fixed and (train.shape[1] != train.shape[2] or train.shape[1] % request.multiple):
        height, width = train.shape[1:]
        raise UsageError(
            f"the images of {name} are {height} x {width}; this model needs square ones, of a "
            f"multiple of {request.multiple}; use fewer --filters or another --model"
        )
    margin = -train.shape[1] % request.multiple
    if not request.fixed:  # the network of any size works on colour and multiples
        pad = (margin // 2, margin - margin // 2) * 2
        images = torch.nn.functional.pad(images, pad)
    device = request.device if recipe.on_tensors else "cpu"
    channels = 1 if request.fixed else 3
    batches = _Digits(
        images.to(device), channels, recipe, request.batch_size, request.seed, request.whole
    )
    rng = np.random.default_rng(VALIDATION_SEED)
    return Source(
        batches=batches,
        validation=[recipe(unit(image[..., None]), rng) for image in test],
        channels=channels,
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
        clean = unit(sheet[top : top + side, left : left + side])
        scene = bool(number % 2) or not self.fonts
        recipe = self.noise or _RECIPES["photo" if scene else "scan"]
        noisy, target = recipe(clean, rng)
        return coloured(noisy, 3), coloured(target, 3)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.seed, 5, step])
        numbers = step // 2 + rng.integers(_SHEETS, size=self.batch)
        pairs = [self.pair(int(number), rng, self.patch) for number in numbers]
        return to_tensor([noisy for noisy, _ in pairs]), to_tensor([clean for _, clean in pairs])


_PAGES = (
    "made-up images teach it to clean pages: real photos' skies and walls would be whitened like "
    "paper; for photos use --init photo --data DIR"
)
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
    noise = recipes.parse(request.noise) if request.noise is not None else None
    if fonts and noise is None:
        notes.append(_PAGES)
    patch = patch_size(request, _SHEET)
    if patch > _SHEET:
        raise UsageError(f"--patch {patch}: synthesised images allow up to {_SHEET}")
    batches = _Sheets(fonts, noise, patch, request.batch_size, request.seed)
    judged = _Sheets(fonts, noise, patch, request.batch_size, VALIDATION_SEED)
    rng = np.random.default_rng(VALIDATION_SEED)
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
