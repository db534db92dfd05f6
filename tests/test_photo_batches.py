"""Batches of photos that a GPU draws, drawn on the CPU."""

from pathlib import Path

import cv2
import numpy as np
import photo_batches
import pytest
import torch
from numpy.typing import NDArray
from photo_batches import DrawnTogether, PhotoBatches, Photos, smallest_side
from torch import Tensor

from imgclean.batch_noise import PERIOD, SEAM
from imgclean.pairs import save_pack

CPU = torch.device("cpu")


def pack(path: Path, images: list[NDArray[np.uint8]]) -> Path:
    save_pack([cv2.imencode(".png", image[..., ::-1])[1].tobytes() for image in images], path)
    return path


def numbered(height: int, width: int, blue: int) -> NDArray[np.uint8]:
    """An image whose pixels say where they are: row, column, and which image it is."""
    row, column = np.mgrid[:height, :width]
    return np.stack([row, column, np.full_like(row, blue)], 2).astype(np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    """Two images that differ in shape."""
    images = [numbered(80, 120, 10), numbered(200, 90, 20)]
    return Photos(pack(tmp_path / "photos.npz", images), 70, CPU)


def batches(photos: Photos, screens: Photos | None = None, **options: object) -> PhotoBatches:
    given = {"size": 32, "batch": 16, "seed": 3, "enlarge": 0.0, "cameras": True} | options
    return PhotoBatches(photos, screens, **given)  # type: ignore[arg-type]


def values(patches: Tensor) -> Tensor:
    """Whole numbers of 0 to 255, N x H x W x 3."""
    return (patches * 255).round().long().permute(0, 2, 3, 1)


def test_patches_are_of_one_place_of_one_image(photos: Photos) -> None:
    """Each is a window of an image, flipped or turned; all eight ways and all corners occur."""
    drawn = values(photos.patches(600, 70, torch.Generator().manual_seed(0)))
    ways = set()
    for patch in drawn:
        assert patch[..., 2].unique().tolist() in ([10], [20])
        rows, columns = patch[..., 0], patch[..., 1]
        turned = bool(rows[0, 0] == rows[1, 0])
        if turned:
            rows, columns = rows.T, columns.T
        down, across = int(rows[1, 0] - rows[0, 0]), int(columns[0, 1] - columns[0, 0])
        assert torch.equal(rows, rows[:, :1].expand(-1, 70)) and abs(down) == 1
        assert torch.equal(columns, columns[:1].expand(70, -1)) and abs(across) == 1
        assert (rows.diff(dim=0) == down).all() and (columns.diff(dim=1) == across).all()
        ways.add((turned, down, across))
    assert len(ways) == 8
    first = drawn[drawn[:, 0, 0, 2] == 10]
    assert first[..., 0].amin() == 0 and first[..., 0].amax() == 79
    assert first[..., 1].amin() == 0 and first[..., 1].amax() == 119
    assert len(first) / 600 == pytest.approx(9600 / 27600, abs=0.07)


def test_enlarged_patches_are_smoother(photos: Photos) -> None:
    """They climb by 1 / 3.5 to 1 / 1.2 a pixel, and stay within one image."""
    drawn = 255 * photos.enlarged(200, 60, torch.Generator().manual_seed(0))[..., 8:-8, 8:-8]
    climb = torch.maximum(drawn[:, 0].diff(dim=1).abs().mean((1, 2)),
                          drawn[:, 0].diff(dim=2).abs().mean((1, 2)))  # fmt: skip
    assert float(climb.min()) > 0.95 / 3.5 and float(climb.max()) < 1.05 / 1.2
    assert float(climb.max() / climb.min()) > 2.4
    other = (drawn[:, 2] - 10).abs().amax((1, 2)), (drawn[:, 2] - 20).abs().amax((1, 2))
    assert float(torch.minimum(*other).max()) < 0.5


def test_small_images_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Patches need room for what is cut off; small ones that are enlarged need more."""
    assert smallest_side(176) == 176 + 2 * SEAM + PERIOD
    for size in (8, 16):
        side = smallest_side(size)
        images = [numbered(side, side, 1), numbered(side, side - 1, 2)]
        path = pack(tmp_path / f"{size}.npz", images)
        photos = Photos(path, side, CPU)
        assert f"without 1 of 2 images, sides under {side} pixels" in capsys.readouterr().out
        made = PhotoBatches(photos, None, size, 4, 0, enlarge=1.0, cameras=False)
        blue = 255 * made[0][1][:, 2]
        coloured = made[0][1].std(1).amax((1, 2)) > 0.01
        assert (blue[coloured] - 1).abs().max() < 0.5
    with pytest.raises(SystemExit, match="lower --patch"):
        Photos(path, 100, CPU)


def test_a_batch_is_the_same_whenever_it_is_drawn(photos: Photos) -> None:
    """It depends on seed and step alone; noisy and clean have its shape."""
    noisy, clean = batches(photos)[5]
    again = batches(photos)
    again[4]
    assert all(torch.equal(*two) for two in zip(again[5], (noisy, clean), strict=True))
    assert not torch.equal(batches(photos)[6][1], clean)
    assert not torch.equal(batches(photos, seed=4)[5][1], clean)
    assert noisy.shape == clean.shape == (16, 3, 32, 32)
    assert torch.isfinite(noisy).all() and clean.min() >= 0 and clean.max() <= 1


@pytest.mark.parametrize("batch", [2, 9, 32])
def test_shares_are_those_of_single_patches(photos: Photos, tmp_path: Path, batch: int) -> None:
    """An eighth is drawn images, half of these untouched and none grey; one in ten photos is."""
    screen = np.zeros((80, 80, 3), np.uint8)
    screen[:] = (200, 30, 90)
    screens = Photos(pack(tmp_path / "screens.npz", [screen]), 70, CPU)
    made = batches(photos, screens, batch=batch, cameras=False)
    flat = untouched = grey = count = 0
    for step in range(1600 // batch):
        noisy, clean = made[step]
        drawn = (clean - clean[:, :, :1, :1]).abs().amax((1, 2, 3)) < 1e-6
        same = (noisy == clean).all(3).all(2).all(1)
        colourless = clean.std(1).amax((1, 2)) < 1e-6
        assert not (same & ~drawn).any() and not (same & colourless).any()
        flat, untouched = flat + int(drawn.sum()), untouched + int(same.sum())
        grey, count = grey + int(colourless.sum()), count + batch
    assert flat / count == pytest.approx(1 / 8, abs=0.02)
    assert untouched / count == pytest.approx(1 / 16, abs=0.015)
    assert grey / count == pytest.approx(0.1 * 15 / 16, abs=0.025)


@pytest.mark.parametrize("batch", [3, 16])
def test_noise_is_mixed_as_for_single_patches(
    photos: Photos, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the patches 40 % are photographed, 8 % grained, 6 % coloured, 8 % clean, some faint."""
    monkeypatch.setattr(photo_batches, "camera", lambda clean, generator: clean + 10)
    monkeypatch.setattr(photo_batches, "grain", lambda clean, grey, generator: clean - 10)
    monkeypatch.setattr(photo_batches, "coloured", lambda clean, grey, generator: clean + 30)
    monkeypatch.setattr(photo_batches, "often_coded", lambda clean, grey, generator: clean - 30)
    shot = coarse = drawn = same = faint = count = 0
    for step in range(1600 // batch):
        noisy, clean = batches(photos, batch=batch)[step]
        spread = (noisy - clean).std((1, 2, 3)) * 255
        other = (noisy - clean).mean((1, 2, 3)) > 20
        taken = ((noisy - clean).mean((1, 2, 3)) > 5) & ~other
        alike = (noisy - clean).mean((1, 2, 3)) < -20
        grained = ((noisy - clean).mean((1, 2, 3)) < -5) & ~alike
        shot, same = shot + int(taken.sum()), same + int(alike.sum())
        coarse, drawn = coarse + int(grained.sum()), drawn + int(other.sum())
        faint += int(((spread < 5) & ~alike & ~taken & ~grained & ~other).sum())
        count += batch
    assert shot / count == pytest.approx(0.4, abs=0.025)
    assert same / count == pytest.approx(0.08, abs=0.015)
    assert coarse / count == pytest.approx(0.08, abs=0.02)
    assert drawn / count == pytest.approx(0.06, abs=0.015)
    assert faint / count == pytest.approx(0.38 * (1 / 3 + 2 / 3 * 5 / 55), abs=0.03)


@pytest.mark.parametrize(("cameras", "faint"), [(True, 0.572 / 3 + 0.018), (False, 0.027)])
def test_a_third_of_the_white_noise_is_faint(photos: Photos, cameras: bool, faint: float) -> None:
    """Beside cameras; for `gaussian` all of it is of 0 to 55."""
    made = batches(photos, cameras=cameras)
    clean, grey = torch.zeros(3000, 3, 8, 8), torch.zeros(3000, 1, 1, 1, dtype=torch.bool)
    noisy = made._white(clean, grey, torch.Generator().manual_seed(0))
    sigma = 255 * noisy.flatten(1).std(1)
    assert float((sigma < 1.5).float().mean()) == pytest.approx(faint, abs=0.03)
    assert 50 < float(sigma.max()) < 65


def test_patches_are_cut_at_every_phase_and_off_the_seam(photos: Photos) -> None:
    """JPEG's blocks begin anywhere alike, and no cut touches what wraps around."""
    made = batches(photos, batch=4096)
    side = 32 + 2 * SEAM + PERIOD
    place = torch.arange(side).float().expand(4096, 3, side, side)
    columns, rows = made._cut(place, place.transpose(2, 3), torch.Generator().manual_seed(0))
    for first in (columns[:, 0, 0, 0], rows[:, 0, 0, 0]):
        counted = torch.bincount(first.long() - SEAM, minlength=PERIOD)
        assert len(counted) == PERIOD and counted.min() > 180 and counted.max() < 340
    assert columns.min() >= SEAM and columns.max() < side - SEAM
    assert torch.equal(columns.diff(dim=3), torch.ones(4096, 3, 32, 31))


def test_steps_share_what_is_drawn_together(photos: Photos) -> None:
    """Four steps have each image of a large batch once, and each its share of every noise."""
    large = batches(photos, batch=64)
    together = DrawnTogether(large, 4)
    steps = [together[step] for step in (4, 5, 6, 7)]
    for whole, parts in zip(large[1], zip(*steps, strict=True), strict=True):
        assert torch.equal(torch.stack(parts, 1).flatten(0, 1), whole)
    for noisy, clean in steps:
        assert 0 <= (noisy == clean).flatten(1).all(1).sum() <= 2  # 6 % of the images stay clean
    assert torch.equal(DrawnTogether(large, 4)[6][0], steps[2][0])
    with pytest.raises(ValueError, match="64 images cannot be shared by 5 steps"):
        DrawnTogether(large, 5)
