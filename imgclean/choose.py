"""Is an image a scanned page, ink on paper, or a photo: what decides between the weights.

A few small perceptrons on the measures of `page_measures`, fitted by ``scripts/fit_choose.py``,
and a convolutional network that looks at the image made small (`page_network`). Where they see no
page there may be one in the picture, or a pale one (`closer_looks`). Taking a photo for
a page would whiten it, while a page treated as a photo merely keeps its stains; so in doubt it is
a photo.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from .closer_looks import coloured_share, deepened, from_afar, sheet_alone, turned, without_note
from .dots import all_dots
from .page_measures import MEASURES, Seen, measure, thumbnail, without_border
from .page_network import page_logit
from .pixels import full_range, luma
from .screens import is_screenshot

__all__ = ["NETWORK", "PREFIX", "THRESHOLD", "UNSURE", "Choice", "choose", "load", "score"]

NETWORK = Path(__file__).with_suffix(".safetensors")
PREFIX = "network."  # of the names of the convolutional network's tensors there
THRESHOLD = 0.75
SHEET = 0.15  # score from which a sheet of paper is looked for in the picture
SURE = 0.82  # of a closer look
CERTAIN = 0.95  # score from which on an image is a page whatever its colours
COLOURFUL = 0.55  # share of other colours than the ground's from which whitening takes too many
PALE = 0.5  # score from which ink may be too pale to be seen as such
PALER = 0.2, 1.0  # or one from the first on, where the network's logit is over the second
ASIDE, UPRIGHT = 0.2, 0.9  # score from which a page may lie on its side, and of it turned
AFAR = 0.3  # score from which it is looked at from twice as far
UNSURE = 0.4, 0.9  # scores from and to which the other images of a folder decide
BLANK = 0.97  # share of background from which an image is a blank sheet if that is
BLUISH, COLOURED = 0.015, 0.35  # most that paper's blue is over its red, and channels apart
CREAM = 0.02  # most that a channel of paper is over the one before it: else it is green or pink
ROUGH = 0.1  # share of its thumbnail that may be 2 % off its surroundings
RIM = 0.9  # of the usual brightness: darker sides are a scanner's lid, or a book's gutter
LIGHT, EVEN = 0.6, 0.3  # so bright, and its brightness in these bounds (their logarithms apart)
SMALLEST = 32  # pixels in height and width below which nothing can be told
_PAPER, _STROKES = MEASURES.index("paper"), MEASURES.index("strokes")
_LIGHT, _RANGE = MEASURES.index("light"), MEASURES.index("background range")


@dataclass(frozen=True)
class Choice:
    """What an image is taken for: its name, how sure it is a scan in [0, 1], and why.

    A `blank` one holds too little to tell: the back of a sheet, say, or a white wall. It is
    `unsure`, as is one whose score is near the threshold: its neighbours tell better.
    """

    name: Literal["photo", "scan"]
    score: float
    reason: str
    blank: bool = False

    @property
    def unsure(self) -> bool:
        """Whether what lies beside the image tells better what it is."""
        return self.blank or UNSURE[0] <= self.score < UNSURE[1]


def choose(pixels: NDArray[np.generic]) -> Choice:
    """Tell a scanned page from a photo.

    Args:
        pixels: H x W or H x W x C with C in {1, 3}, RGB, of any size; uint8, uint16, or float
            in [0, 1].

    Returns:
        ``scan`` where the score is at least `THRESHOLD`, or that of another look enough, and the
        ground is mostly of one colour; else ``photo``.
    """
    if min(pixels.shape[:2]) < SMALLEST:
        return Choice("photo", 0.0, f"under {SMALLEST} pixels: too small to tell")
    if _is_black_and_white(pixels):
        return Choice("scan", 1.0, "black and white alone: no tones to clean")
    seen, how = measure(pixels), "ink on paper"
    sure = score(seen)
    if sure < THRESHOLD:
        seen, sure, how = _closer(pixels, seen, sure)
    values = seen.measures
    told = f"score {sure:.2f}"
    if THRESHOLD <= sure < CERTAIN and (tints := _tints(pixels, seen)) > COLOURFUL:
        why = f"coloured all over: {100 * tints:.0f} % unlike the rest, {told}"
        return Choice("photo", sure, why)
    what = f"{100 * values[_PAPER]:.0f} % background, {100 * values[_STROKES] ** 2:.1f} % strokes"
    what = f"{what}, {told}"
    if sure >= THRESHOLD and all_dots(pixels):
        return Choice("photo", sure, f"dots of one size, as of cloth or a grille: {told}")
    if sure >= THRESHOLD and is_screenshot(pixels):
        return Choice("photo", 0.0, f"a ground without any grain, as on a screen: {told}")
    if sure >= THRESHOLD:
        return Choice("scan", sure, f"{how}: {what}")
    even = values[_RANGE] < EVEN and values[_LIGHT] > LIGHT
    blank = bool(even and values[_PAPER] >= BLANK) and _may_be_paper(pixels)
    return Choice("photo", sure, f"not clearly a page: {what}", blank)


def _closer(pixels: NDArray[np.generic], seen: Seen, sure: float) -> tuple[Seen, float, str]:
    """Another look that shows a page, its score and what it is of; or the first look and its."""
    pale = PALER[0] <= sure < PALE and page_logit(seen, load()[1]) > PALER[1]
    for look, least, enough, what in (
        (sheet_alone, SHEET, SURE, "a sheet of paper in the picture"),
        (deepened, PALER[0] if pale else PALE, SURE, "pale ink on paper, here darker"),
        (without_note, PALE, SURE, "ink on paper, without the note on it"),
        (from_afar, AFAR, THRESHOLD, "ink on paper, from twice as far"),
        (turned, ASIDE, UPRIGHT, "ink on paper, from its side"),
    ):
        closer = look(pixels) if sure >= least else None
        found = None if closer is None else measure(closer)
        if found is not None and (better := score(found)) >= enough:
            return found, better, what
    return seen, sure, "ink on paper"


def _tints(pixels: NDArray[np.generic], seen: Seen) -> float:
    """The share of other colours than the ground's; of a sheet on a table without the table."""
    tints = coloured_share(seen.whole)
    sheet = sheet_alone(pixels) if tints > COLOURFUL else None
    return tints if sheet is None else coloured_share(measure(sheet).whole)


def _may_be_paper(pixels: NDArray[np.generic]) -> bool:
    """Whether an even image is grey or cream and smooth, and not a sky or a faded print."""
    small = without_border(thumbnail(pixels), RIM)
    colour = np.median(small, axis=(0, 1))
    if colour[-1] - colour[0] > BLUISH or np.ptp(colour) > COLOURED:
        return False
    if np.diff(colour).max(initial=0) > CREAM:
        return False
    grey = cv2.blur(luma(small), (3, 3))
    apart = np.abs(grey / np.maximum(cv2.GaussianBlur(grey, (0, 0), 12), 1e-3) - 1)
    return bool(np.mean(apart > 0.02) <= ROUGH)


def _is_black_and_white(pixels: NDArray[np.generic]) -> bool:
    """Whether every sample is 0 or the largest value: print, or a picture made of dots.

    The weights for photos would take the dots for noise.
    """
    white = full_range(pixels)
    for part in (pixels[:: max(1, len(pixels) // 8)], pixels):  # a few rows tell of most images
        if not ((part == 0) | (part == white)).all():
            return False
    return bool((pixels == 0).any() and (pixels == white).any())


@cache
def load() -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """The tensors of the perceptrons and of the convolutional network, read once."""
    tensors = {name: tensor.astype(np.float32) for name, tensor in load_file(NETWORK).items()}
    shown = [name for name in tensors if name.startswith(PREFIX)]
    return tensors, {name.removeprefix(PREFIX): tensors.pop(name) for name in shown}


def score(seen: Seen) -> float:
    """How sure what is seen of an image is a page, in [0, 1].

    The mean of the perceptrons' mean logit and the convolutional network's.
    """
    perceptrons, network = load()
    logits = _logits(seen.measures, perceptrons)
    both = (float(logits.mean()) + page_logit(seen, network)) / 2
    return float(1 / (1 + np.exp(-np.clip(both, -30, 30))))


def _logits(
    values: NDArray[np.float64], net: dict[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """One of each perceptron."""
    unit = np.clip((values - net["mean"]) / net["spread"], -4, 4).astype(np.float32)
    hidden = np.maximum(net["first"] @ unit + net["first_bias"], 0)  # members x units
    hidden = np.einsum("mab,mb->ma", net["second"], hidden) + net["second_bias"]
    logits = np.einsum("mab,mb->ma", net["third"], np.maximum(hidden, 0)) + net["third_bias"]
    return np.asarray(logits, np.float32)
