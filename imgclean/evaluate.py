"""Score methods on images: a run yields one `Score` an image, noise level and method."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import metrics, texts
from .cases import Case
from .errors import ImageError, UsageError
from .files import write_whole
from .journal import fingerprint
from .ledger import Ledger
from .methods import Method, eight_bits
from .pixels import unit
from .residuals import structure
from .scores import NOISY, STRUCTURE_LIMIT, Score

__all__ = ["Options", "Run"]

Pixels = NDArray[Any]

_GENERATION = 17  # raised when the same images and weights give other figures than before
_CEILING = 100.0  # dB that equal images count as, so that means stay finite
_WARM = 64  # pixels a side of the image that a method is tried on before it is timed


@dataclass(frozen=True)
class Options:
    """What to measure.

    Attributes:
        ocr: read texts where there are any, with this version of Tesseract; empty for not.
        language: of the texts, as Tesseract names it.
        read_clean: without a true text, what is read in the clean image counts as true.
        ms_ssim, lpips: measure these too; each needs its package.
        pictures: keep every picture as a PNG, for the report.
    """

    ocr: str = ""
    language: str = "eng"
    read_clean: bool = False
    ms_ssim: bool = False
    lpips: bool = False
    pictures: bool = False


@dataclass(frozen=True)
class _Result:
    """What came out of one method, waiting to be measured."""

    method: str
    key: str
    pixels: Pixels  # as scored: 8 bits, or the integers of the file
    seconds: float
    code: list[float] | None
    text: Future[str] | None


class Run:
    """Scores every case with every method; iterate over it once.

    Memory holds one case at a time. With a folder, finished scores are kept there, and those that
    are there already are yielded again without computing: what counts is the content of the
    files, the weights and the options.

    Attributes:
        codes: by method, code by image, of autoencoders at the first noise level.
        labels: class by image.
        computed: scores that were not found finished.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        methods: Sequence[Method],
        options: Options,
        folder: Path | None = None,
    ) -> None:
        """Open the folder; nothing is computed yet.

        Raises:
            OutputError: the folder cannot be written.
        """
        self.cases, self.methods, self.options, self.folder = cases, methods, options, folder
        self.codes: dict[str, dict[str, Sequence[float]]] = {}
        self.labels = {case.image: case.label for case in cases}
        self.computed = 0
        self._begun = False
        self._ledger = Ledger(folder) if folder else None
        self._first = cases[0].level if cases else ""
        self._warm: set[tuple[str, int]] = set()

    def __iter__(self) -> Iterator[Score]:
        """Yield the input's score first, then the methods' in their order, case by case.

        A case that cannot be evaluated yields one score with its `error`.

        Raises:
            UsageError: it was iterated before.
        """
        if self._begun:
            raise UsageError("this Run has run; make another")
        self._begun = True
        try:
            with ThreadPoolExecutor(os.cpu_count() or 1) as self._pool:
                for case in self.cases:
                    try:
                        yield from self._case(case)
                    except ImageError as error:
                        yield _failed(case, NOISY, str(error))
        finally:
            if self._ledger:
                self._ledger.close()

    def _case(self, case: Case) -> Iterator[Score]:
        if case.problem:
            raise ImageError(case.problem)
        keys = self._keys(case)
        known = {name: self._known(key) for name, key in keys.items()}
        scores = {name: found[0] for name, found in known.items() if found}
        for name, found in known.items():
            if found and found[1] is not None:
                self._remember(case, name, found[1])
        if len(scores) < len(keys):
            scores |= self._compute(case, keys, set(keys) - set(scores))
        yield from (scores[name] for name in keys)

    def _keys(self, case: Case) -> dict[str, str]:
        """By method, a hash of all that decides the score."""
        measured = [self.options.ocr, self.options.read_clean, self.options.ms_ssim]
        if self.options.ocr:
            measured.append(self.options.language)
        shared = [_GENERATION, case.image, case.digest(), *measured, self.options.lpips]
        keys = {method.name: method.key for method in self.methods}
        return {n: fingerprint({"all": [*shared, n, k]}) for n, k in {NOISY: "", **keys}.items()}

    def _known(self, key: str) -> tuple[Score, Sequence[float] | None] | None:
        return self._ledger.find(key, pictures=self.options.pictures) if self._ledger else None

    def _remember(self, case: Case, method: str, code: Sequence[float]) -> None:
        if case.level == self._first:
            self.codes.setdefault(method, {})[case.image] = code

    def _compute(self, case: Case, keys: Mapping[str, str], missing: set[str]) -> dict[str, Score]:
        """The missing scores by method; the methods that fail have one with an error."""
        noisy, clean = case.open()
        seen = eight_bits(noisy)
        clean = None if clean is None else eight_bits(clean)
        true, reading = self._truth(case, clean)
        scores: dict[str, Score] = {}
        results = [_Result(NOISY, keys[NOISY], seen, 0.0, None, self._read(seen, reading))]
        for method in self.methods:
            if method.name not in missing:
                continue
            try:
                results.append(self._clean(method, keys[method.name], noisy, reading))
            except ImageError as error:
                scores[method.name] = _failed(case, method.name, str(error))
        places = self._pictures(case, results, clean)
        before: dict[str, float] = {}
        for result in results:
            try:
                figures = self._figures(result, noisy, clean, true, before)
            except ImageError as error:  # Tesseract failed on this one
                if result.method == NOISY:
                    raise
                scores[result.method] = _failed(case, result.method, str(error))
                continue
            before = before or figures
            height, width = seen.shape[:2]
            score = Score(case.image, case.level, result.method, width, height, figures)
            scores[result.method] = replace(score, pictures=places.get(result.method, {}))
            if result.method in missing:
                self._finish(case, result, scores[result.method])
        return scores

    def _finish(self, case: Case, result: _Result, score: Score) -> None:
        self.computed += 1
        if result.code is not None:
            self._remember(case, result.method, result.code)
        if self._ledger:
            self._ledger.add(result.key, score, result.code)

    def _clean(self, method: Method, key: str, noisy: Pixels, reading: bool) -> _Result:
        kind = (method.name, noisy.shape[2])
        if kind not in self._warm:  # the first call builds networks and probes precisions
            self._warm.add(kind)
            method(np.ascontiguousarray(noisy[:_WARM, :_WARM]))
        begun = time.perf_counter()
        denoised = method(noisy)
        seconds = time.perf_counter() - begun
        pixels = eight_bits(denoised)
        code = method.code(noisy)
        return _Result(method.name, key, pixels, seconds, code, self._read(pixels, reading))

    # --- figures --------------------------------------------------------------------------------

    def _figures(
        self,
        result: _Result,
        noisy: Pixels,
        clean: Pixels | None,
        true: str | None,
        before: Mapping[str, float],
    ) -> dict[str, float]:
        """All figures that apply; `before` are those of the input, empty for itself."""
        figures: dict[str, float] = {}
        if clean is not None:
            figures |= self._distances(clean, _in_channels(result.pixels, clean.shape[2]))
        if true is not None and result.text is not None:
            figures["cer"], figures["wer"] = texts.error_rates(true=true, read=result.text.result())
        sigma = 255 * metrics.estimate_sigma(result.pixels)
        if result.method == NOISY:
            return {**figures, "sigma_before": sigma}
        if "psnr" in figures:
            figures["gain"] = figures["psnr"] - before["psnr"]
        figures |= {"sigma_before": before["sigma_before"], "sigma_after": sigma}
        figures |= _removed(unit(noisy), unit(result.pixels))
        height, width = result.pixels.shape[:2]
        figures["mp_s"] = height * width / 1e6 / max(result.seconds, 1e-9)
        return figures

    def _distances(self, clean: Pixels, other: Pixels) -> dict[str, float]:
        figures = {
            "psnr": min(metrics.psnr(clean=clean, other=other), _CEILING),
            "ssim": metrics.ssim(clean=clean, other=other),
            "rmse": metrics.rmse(clean=clean, other=other),
        }
        if self.options.ms_ssim:
            value = metrics.ms_ssim(clean=clean, other=other)
            figures |= {} if value is None else {"ms_ssim": value}
        if self.options.lpips:
            figures["lpips"] = metrics.lpips(clean=clean, other=other)
        return figures

    # --- texts ----------------------------------------------------------------------------------

    def _truth(self, case: Case, clean: Pixels | None) -> tuple[str | None, bool]:
        """The true text, and whether results are to be read."""
        if not self.options.ocr:
            return None, False
        text = case.true_text()
        if text is not None and text.strip():
            return text, True
        if self.options.read_clean and clean is not None:
            read = self._pool.submit(texts.read_text, clean, self.options.language).result()
            return (read, True) if read.strip() else (None, False)
        return None, False

    def _read(self, pixels: Pixels, wanted: bool) -> Future[str] | None:
        if not wanted:
            return None
        return self._pool.submit(texts.read_text, _shallow(pixels), self.options.language)

    # --- pictures -------------------------------------------------------------------------------

    def _pictures(
        self, case: Case, results: Sequence[_Result], clean: Pixels | None
    ) -> dict[str, dict[str, str]]:
        """Write the pictures if they were asked for; their names by method and role."""
        if not self.options.pictures or not self.folder:
            return {}
        key = results[0].key
        shared = {"noisy": self._picture(case, "noisy", results[0].pixels, key)}
        if clean is not None:
            shared["clean"] = self._picture(case, "clean", clean, key)
        places = {NOISY: shared}
        for result in results[1:]:
            own = self._picture(case, result.method, result.pixels, result.key)
            places[result.method] = {**shared, "denoised": own}
        return places

    def _picture(self, case: Case, role: str, pixels: Pixels, key: str) -> str:
        """Write one picture and give its name relative to the folder."""
        assert self.folder is not None
        words = f"{case.image}-{case.level}-{role}" if case.level else f"{case.image}-{role}"
        name = f"pictures/{re.sub(r'[^A-Za-z0-9.]+', '-', words)[-80:]}-{key[:12]}.png"
        target = self.folder / name
        image = _shallow(pixels)
        data: Any = cv2.imencode(".png", image[..., ::-1] if image.shape[2] == 3 else image)[1]
        write_whole(target, data.tobytes(), "choose another --out", flush=False)
        return name


def _failed(case: Case, method: str, error: str) -> Score:
    if case.image not in error:  # from a library that was given pixels and not the name
        error = f"{case.image}: {error}"
    return Score(case.image, case.level, method, 0, 0, {}, error=error)


def _removed(noisy: Pixels, denoised: Pixels) -> dict[str, float]:
    """What the residual says, without a clean image."""
    figures = {"removed": float(np.sqrt(np.mean((noisy - denoised) ** 2)))}
    value = structure(noisy=noisy, denoised=denoised)
    if value is not None:
        figures |= {"structure": value, "structure_flag": float(value > STRUCTURE_LIMIT)}
    return figures


def _in_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey repeated or colours averaged, to be compared with so many channels."""
    if pixels.shape[2] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=2)
    return np.asarray(np.rint(pixels.mean(axis=2, keepdims=True)), pixels.dtype)


def _shallow(pixels: Pixels) -> Pixels:
    """The same in 8 bits."""
    if pixels.dtype == np.uint16:
        return np.right_shift(pixels, 8).astype(np.uint8)
    return pixels
