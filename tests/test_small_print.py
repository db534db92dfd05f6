"""Pages of low resolution are cleaned at twice the size."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean.errors import WeightsError
from imgclean.ink import measure_ink
from imgclean.restore import Denoiser, load
from imgclean.second_look import far_view
from imgclean.small_print import doubled, every_second, is_small
from imgclean.weights import load_weights, save

from .test_choose import page

Pixels = NDArray[np.uint8]


def _page(times: float, seed: int = 0, sigma: float = 3.0) -> Pixels:
    """Text with strokes of about one pixel, or so many times as wide, on grainy paper."""
    lines = page(240, 320)
    text = cv2.resize(lines, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(seed).normal(0, sigma, text.shape)
    return np.asarray(np.clip(np.rint(text + grain), 0, 255)[..., None], np.uint8)


def _is_small(pixels: NDArray[Any]) -> bool:
    return is_small(measure_ink(pixels))


def test_every_second_pixel_is_the_pages_own() -> None:
    pages = torch.rand(2, 3, 7, 10)
    large = doubled(pages)
    assert large.shape == (2, 3, 14, 20)
    assert torch.equal(every_second(large), pages)
    assert torch.allclose(doubled(torch.full((1, 1, 1, 5), 0.3)), torch.full((1, 1, 2, 10), 0.3))
    ramp = doubled(torch.arange(12.0)[None, None, None])[0, 0, 0]
    assert torch.allclose(ramp[4:-5], torch.arange(4, 19) / 2)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_strokes_of_two_pixels_are_small_print(kind: str) -> None:
    """Whatever their size on paper; grain does not make wide strokes small, nor empty pages."""
    kinds: dict[str, Any] = {"uint8": 1, "uint16": np.uint16(257), "float32": np.float32(1 / 255)}
    scale = kinds[kind]
    for sigma in (0.0, 3.0, 8.0):
        found = [_is_small(_page(times, 1, sigma) * scale) for times in (1, 1.2, 3, 4)]
        assert found == [True, True, False, False]
    assert not _is_small(np.full((400, 300, 3), 255, np.uint8))
    assert not _is_small(np.full((1, 1, 1), 0, np.uint8))


def test_tiles_of_small_print_meet_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though their halo is half as wide; and where memory runs out a tile is halved."""
    # Text at an edge that is at no multiple of what tiles are padded to.
    small = np.ascontiguousarray(page(1060, 180)[:1010])
    assert _is_small(small)
    whole = load("scan", device="cpu", precision="fp32")(small)
    tiled = load("scan", device="cpu", precision="fp32", tile=256)
    heights: list[int] = []
    forward = Denoiser._forward

    def limited(self: Denoiser, tiles: list[Any], lights: list[Any], *rest: Any) -> list[Any]:
        if len(tiles[0]) * (1 + lights[0].twice) > 1460:
            raise MemoryError
        if lights[0].twice:
            heights.append(len(tiles[0]))
        return forward(self, tiles, lights, *rest)

    monkeypatch.setattr(Denoiser, "_forward", limited)
    assert np.abs(whole.astype(int) - tiled(small)).max() <= 1
    assert max(heights) < 1000 and len(heights) >= 4, "tiles that are the whole page meet nowhere"
    heights.clear()
    halved = load("scan", device="cpu", precision="fp32")(small)
    assert np.abs(whole.astype(int) - halved).max() <= 1
    assert len(heights) > 1


def test_it_is_as_it_is_for_colour_part_of_the_strength_and_half_precision() -> None:
    small = page(97, 131)
    denoiser = load("scan", device="cpu", precision="fp32")
    full = denoiser(small).astype(int)
    colour = denoiser(np.repeat(small, 3, axis=2)).astype(int)
    assert np.abs(colour - full).max() <= 2
    assert np.abs(denoiser(small, 0.5).astype(int) - (small + full) / 2).max() <= 1
    half = load("scan", device="cpu", precision="bf16")(small).astype(int)
    assert np.abs(half - full).mean() < 0.5


def test_small_and_large_print_share_no_batch() -> None:
    """Pages of one size, of which one is small print, come out as each does alone."""
    small, large = _page(1), np.ascontiguousarray(_page(3)[:240, :320])
    denoiser = load("scan", device="cpu", precision="fp32", batch_size=2)
    alone = [denoiser(image) for image in (small, large)]
    together = [small.copy(), large.copy(), small.copy()]
    denoiser.clean(together)
    assert _is_small(small) and not _is_small(large)
    for got, expected in zip(together, (*alone, alone[0]), strict=True):
        assert np.abs(got.astype(int) - expected).max() <= 1


def test_other_weights_for_pages_see_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those without a network for enlarged pages; what `train --init scan` makes has none."""
    small, shipped = _page(1), load_weights("scan")
    other = Denoiser(replace(shipped, small_print=None), device="cpu", precision="fp32")
    expected = other(small)
    assert np.abs(load("scan", device="cpu", precision="fp32")(small).astype(int) - expected).max()
    monkeypatch.setattr("imgclean.restore.is_small", lambda ink: False)
    assert np.array_equal(load("scan", device="cpu", precision="fp32")(small), expected)
    assert other.features(10_000) == int(10_000 * other._per_pixel())


def test_small_print_needs_no_more_memory_than_is_told() -> None:
    """Tiles of it are smaller, by as much as they are enlarged, and the forecast counts that."""
    denoiser = load("scan", device="cpu", precision="bf16", memory=500_000_000)
    halo = denoiser._halo_of(twice=True)
    assert halo < denoiser._halo
    largest = {}
    for twice, around in ((False, denoiser._halo), (True, halo)):
        rows, columns = denoiser._grid(3000, 2000, 1, twice=twice)
        tall, wide = np.diff(rows).max() + 2 * around, np.diff(columns).max() + 2 * around
        assert min(np.diff(rows)[0], np.diff(columns)[0]) >= around
        largest[twice] = min(tall, 3000) * min(wide, 2000) * (4 if twice else 1)
    allowed = 500_000_000 / denoiser._per_pixel()
    assert 0.5 * allowed < min(largest.values()) <= max(largest.values()) <= 1.1 * allowed
    assert denoiser.features(6_000_000) == pytest.approx(500_000_000, rel=0.01)
    assert denoiser.features(10_000) == int(40_000 * denoiser._per_pixel())


def test_pictures_among_small_print_are_seen_from_afar() -> None:
    """The network sees half as far there; so pages of any size have a far view, or are it."""
    shapes = ((420, 300, 1), (600, 400, 1), (1400, 900, 3))
    found = [[far_view(np.zeros(shape), shown) for shape in shapes] for shown in (1, 2)]
    sizes = [[None if view is None else view.shape for view in views] for views in found]
    assert sizes[0] == [None, None, (450, 289, 3)]
    assert sizes[1] == [(420, 300, 1), (450, 300, 1), (450, 289, 3)]
    assert far_view(np.zeros((3000, 10, 1)), 2) is None


@pytest.mark.parametrize("dpi", [200, 300])
def test_dirt_and_pictures_do_not_make_print_small(dpi: int) -> None:
    """Pepper and dots of a screen are as small as small print."""
    rng = np.random.default_rng(0)
    times, lines = dpi / 75, page(300, 400)
    sheet = cv2.resize(lines, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    sheet[len(sheet) // 3 :] = 240
    sheet[rng.random(sheet.shape) < 0.01] = 0
    sheet[-60:][::6, ::6] = 60
    assert not _is_small(sheet[..., None])


def test_a_file_holds_both_networks(tmp_path: Path) -> None:
    """Each is read back; one without, or with tensors that do not fit, is told apart."""
    scan = load_weights("scan")
    assert scan.small_print is not None
    assert scan.small_print.keys() == scan.state.keys()
    assert not torch.equal(scan.small_print["tail.weight"], scan.state["tail.weight"])
    path = tmp_path / "mine.safetensors"
    parts: dict[str, Any] = {"architecture": scan.architecture, "config": scan.config, "card": {}}
    save(path, **parts, state=scan.state, small_print=scan.small_print)
    both = load_weights(str(path))
    assert both.small_print is not None
    for read, written in ((both.state, scan.state), (both.small_print, scan.small_print)):
        assert all(torch.equal(read[name], written[name]) for name in written)
    assert both.card["parameters"] == scan.card["parameters"]
    assert Denoiser(both, device="cpu").enlarges
    save(path, **parts, state=scan.state)
    assert load_weights(str(path)).small_print is None
    assert not Denoiser(load_weights(str(path)), device="cpu").enlarges
    save(path, **parts, state=scan.state, small_print={"tail.weight": scan.state["tail.weight"]})
    with pytest.raises(WeightsError, match="do not fit"):
        Denoiser(load_weights(str(path)), device="cpu")
