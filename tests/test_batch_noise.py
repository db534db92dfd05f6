"""The camera of whole batches does what `noise.py` does to one image at a time."""

from dataclasses import replace
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from imgclean import batch_noise, noise
from imgclean.batch_noise import MARGIN, Sensors
from imgclean.noise import DEMOSAICING, Demosaicing
from imgclean.pixels import LUMA

Array = NDArray[np.float32]


def scene(side: int = 128) -> Array:
    """Smooth colours with edges between them, H x W x 3 in [0, 1]."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    waves = np.stack([np.sin(6 * x + 3 * y), np.cos(5 * y), np.sin(9 * x * y)], 2) * 0.3 + 0.5
    waves[30:70, 40:90] = rng.random(3)
    return np.asarray(waves, np.float32).clip(0.02, 0.98)


def tensor(image: Array) -> Tensor:
    """N x 3 x H x W of one H x W x 3 image."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]


def array(images: Tensor) -> Array:
    """H x W x 3 of the first."""
    return np.asarray(images[0].permute(1, 2, 0).numpy(), np.float32)


def one(sensor: noise.Sensor) -> Sensors:
    """A batch of one camera."""

    def value(number: float) -> Tensor:
        return torch.tensor(number).view(1, 1, 1, 1)

    fields = dict(sensor.__dict__)
    gains = torch.tensor(fields.pop("gains")).view(1, 3, 1, 1)
    fields["demosaicing"] = list(DEMOSAICING).index(fields["demosaicing"])
    return Sensors(gains=gains, **{name: value(number) for name, number in fields.items()})


@pytest.mark.parametrize("seed", range(4))
def test_tone_curves_are_those_of_one_image(seed: int) -> None:
    """Curve, inverse and colour matrix equal those of `noise.py` for the same camera."""
    sensor = noise.draw_sensor(np.random.default_rng(seed))
    image = scene()
    shown = batch_noise._tone(tensor(image), one(sensor))
    np.testing.assert_allclose(array(shown), noise._tone(image, sensor), atol=2e-6)
    linear = batch_noise._to_linear(tensor(image), one(sensor))
    np.testing.assert_allclose(array(linear), noise._to_linear(image, sensor), atol=5e-4)
    np.testing.assert_allclose(batch_noise._tone(linear, one(sensor)), tensor(image), atol=1e-4)
    matrix = batch_noise._colour_matrices(one(sensor))[0]
    np.testing.assert_allclose(matrix, noise._colour_matrix(sensor), atol=1e-6)


@pytest.mark.parametrize("kind", [name for name in DEMOSAICING if name != "none"])
@pytest.mark.parametrize("red", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_demosaicing_is_that_of_one_image(red: tuple[int, int], kind: Demosaicing) -> None:
    """Every pattern, each way, but for the 15 bits of OpenCV's and the edge."""
    rng = np.random.default_rng(0)
    image = (scene() + 0.1 * rng.standard_normal((128, 128, 3))).astype(np.float32)
    sites = batch_noise._sites(torch.tensor([red]), 128, 128)
    single = (tensor(image) * sites).sum(1, keepdim=True)
    number = torch.tensor(list(DEMOSAICING).index(kind)).view(1, 1, 1, 1)
    ours = batch_noise._demosaic(single, sites, number)
    first = sites[0, 0].nonzero()[0].tolist()
    phase = {(0, 0): 0, (0, 1): 1, (1, 1): 2, (1, 0): 3}[first[0], first[1]]
    theirs = noise._demosaic(single[0, 0].numpy(), phase, kind)
    inner = np.abs(array(ours) - theirs)[4:-4, 4:-4]
    # Where both directions differ by the same but for rounding, OpenCV may take the other one.
    assert np.quantile(inner, 0.999) < 1e-4


def test_row_noise_is_that_of_one_image() -> None:
    """Of the deviation asked for, along rows three times in four, as often thicker than one."""
    sensors = batch_noise.draw_sensors(400, torch.Generator().manual_seed(0))
    sensors = replace(sensors, banding=torch.full_like(sensors.banding, 0.1))
    draw = batch_noise._Draw(400, torch.Generator().manual_seed(1))
    batch = batch_noise._bands(sensors, draw, 96, 128)
    alone = [noise._bands((96, 128), 0.1, np.random.default_rng(seed)) for seed in range(400)]
    for bands in (batch[:, 0].numpy(), np.stack(alone)):
        upright = bands.std(axis=2).max(axis=1) > 1e-4
        assert upright.mean() == pytest.approx(0.25, abs=0.07)
        assert np.all(
            (bands.std(axis=2).max(axis=1) > 1e-4) ^ (bands.std(axis=1).max(axis=1) > 1e-4)
        )
        assert bands.std(axis=(1, 2)).mean() == pytest.approx(0.1, rel=0.05)
        lines = bands[~upright, :, 0]
        alike = [np.corrcoef(line[1:], line[:-1])[0, 1] for line in lines]
        assert np.mean(np.array(alike) > 0.3) == pytest.approx(0.42, abs=0.1)


def test_cameras_are_drawn_in_the_same_shares() -> None:
    """Of each way of demosaicing as many, within chance."""
    drawn = batch_noise.draw_sensors(20_000, torch.Generator().manual_seed(0)).demosaicing
    found = [float((drawn == number).float().mean()) for number in range(len(DEMOSAICING))]
    assert found == pytest.approx(list(DEMOSAICING.values()), abs=0.02)
    rng = np.random.default_rng(0)
    single = [noise.draw_sensor(rng).demosaicing for _ in range(3000)]
    found = [single.count(name) / 3000 for name in DEMOSAICING]
    assert found == pytest.approx(list(DEMOSAICING.values()), abs=0.04)


def test_coloured_noise_is_distributed_alike() -> None:
    """Strength, and the share of it in fine detail, have the same quartiles by either module."""
    clean = np.full((64, 64, 3), 0.5, np.float32)
    alone = np.stack(
        [noise.coloured(clean, np.random.default_rng(seed)) - clean for seed in range(300)]
    )
    grey = torch.zeros(20, 1, 1, 1, dtype=torch.bool)
    batch = tensor(clean).expand(20, -1, -1, -1)
    many = torch.cat(
        [
            batch_noise.coloured(batch, grey, torch.Generator().manual_seed(seed)) - batch
            for seed in range(15)
        ]
    ).permute(0, 2, 3, 1)
    quartiles = []
    for drawn in (alone, many.numpy()):
        spread = drawn.std(axis=(1, 2, 3))
        apart = np.abs(np.diff(drawn, axis=1)).mean(axis=(1, 2, 3)) / spread
        quartiles.append(np.quantile([np.log(spread), apart], (0.25, 0.5, 0.75), axis=1))
    assert np.abs(quartiles[0] - quartiles[1]).max() < 0.25
    one = batch_noise.coloured(batch, ~grey, torch.Generator().manual_seed(0)) - batch
    assert (one.std(1) < 1e-4).all()


@pytest.mark.parametrize("subsample", [False, True])
@pytest.mark.parametrize("quality", [35, 60, 92])
def test_jpeg_is_opencvs(quality: int, subsample: bool) -> None:
    """What compression leaves of a noisy image is what OpenCV's leaves, to rounding."""
    rng = np.random.default_rng(1)
    image = (scene() + 0.05 * rng.standard_normal((128, 128, 3))).astype(np.float32)
    still = np.random.default_rng(0)
    while True:  # a generator whose first two draws leave the grid of blocks at the corner
        state = still.bit_generator.state
        if not still.integers(0, 8, 2).any():
            break
    still.bit_generator.state = state
    theirs = noise.jpeg(image, quality, still, subsample=subsample)
    level = torch.tensor(float(quality)).view(1, 1, 1, 1)
    ours = array(batch_noise.jpeg(tensor(image), level, subsample=subsample))
    lost = float(np.square(theirs - image).mean())
    rounding = 3 / 255**2  # of several steps; at high qualities it alone decides some coefficients
    assert np.square(ours - theirs).mean() < 0.01 * lost + rounding


def grains(count: int, clean: Array) -> tuple[Array, Array]:
    """So many draws of camera noise on an image, by either module: two arrays, N x H x W x 3.

    A margin is cut off, beyond which one module wraps around and the other mirrors.
    """
    half = MARGIN // 2
    inner = np.s_[:, half:-half, half:-half]
    alone = [noise.camera(clean, np.random.default_rng([7, i])) - clean for i in range(count)]
    batch = tensor(clean).expand(20, -1, -1, -1)  # of each batch one part is shrunk, at one scale
    seeds = range(count // 20)
    many = [batch_noise.camera(batch, torch.Generator().manual_seed(s)) - batch for s in seeds]
    return np.stack(alone)[inner], torch.cat(many).permute(0, 2, 3, 1).numpy()[inner]


def test_noise_is_distributed_alike() -> None:
    """Strength, share of colour and coarseness have the same quartiles by either module."""
    luma = np.array([0.299, 0.587, 0.114], np.float32)
    quartiles = []
    for drawn in grains(600, np.full((112, 112, 3), (0.35, 0.5, 0.6), np.float32)):
        grey = drawn @ luma
        colour = (drawn - grey[..., None]).std(axis=(1, 2, 3))
        spread = grey.std(axis=(1, 2)) + 1e-4
        apart = np.abs(grey[:, :, 1:] - grey[:, :, :-1]).mean(axis=(1, 2)) / spread
        measures = np.stack([np.log(spread), np.log(colour / spread + 0.01), apart])
        quartiles.append(np.quantile(measures, (0.25, 0.5, 0.75), axis=1))
    scale = np.array([1.2, 0.6, 0.4])  # about the distances between the outer quartiles
    assert np.abs((quartiles[0] - quartiles[1]) / scale).max() < 0.25  # chance alone: to 0.2


def test_noise_is_as_much_stronger_beside_edges() -> None:
    """How much stronger noise is beside edges has the same quartiles by either module."""
    image = np.full((112, 112, 3), 0.4, np.float32)
    image[:, 52:60] = 0.7
    quartiles = []
    for drawn in grains(400, image):
        near, far = drawn[:, :, 42:46], np.delete(drawn, np.s_[30:66], axis=2)
        ratio = np.log(near.std(axis=(1, 2, 3)) / (far.std(axis=(1, 2, 3)) + 1e-5) + 0.01)
        quartiles.append(np.quantile(ratio, (0.25, 0.5, 0.75)))
    assert quartiles[0][2] > 0.2  # some cameras do
    assert np.abs(quartiles[0] - quartiles[1]).max() < 0.12


def test_a_batch_depends_on_its_generator_alone() -> None:
    """The same seed gives the same noise, another one other noise; nothing is shifted in colour."""
    clean = tensor(scene(64)).repeat(20, 1, 1, 1)
    same = [batch_noise.camera(clean, torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(same[0], same[1]) and not torch.equal(same[0], same[2])
    drawn = torch.cat([same[0], same[2]])
    assert torch.isfinite(drawn).all() and drawn.shape == (40, 3, 64, 64)
    assert (drawn.mean((0, 2, 3)) - clean.mean((0, 2, 3))).abs().max() < 0.01


@pytest.mark.parametrize("name", ["_smooth_along", "_core"])
@pytest.mark.parametrize("seed", range(3))
def test_luma_is_treated_as_one_image_is(
    name: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise along lines and above thresholds, for the same draws, away from the seam."""
    rng = np.random.default_rng(seed)
    ground = np.asarray(scene() @ LUMA, np.float32)
    grain = 0.03 * rng.standard_normal(ground.shape, np.float32)
    drawn: list[float] = []

    def keep(low: float, high: float) -> float:
        drawn.append(float(np.random.default_rng(seed).uniform(low, high)))
        return drawn[-1]

    draws = Mock(np.random.Generator, uniform=keep, random=lambda: seed / 2)
    expected = getattr(noise, name)(grain, ground, draws)
    draw = batch_noise._Draw(1, torch.Generator())
    monkeypatch.setattr(draw, "uniform", lambda low, high: torch.full((1, 1, 1, 1), drawn.pop(0)))
    monkeypatch.setattr(draw, "chance", lambda share: torch.full((1, 1, 1, 1), seed / 2 < share))

    def blurred(images: Tensor, sigma: Tensor) -> Tensor:
        return torch.from_numpy(cv2.GaussianBlur(images[0, 0].numpy(), (0, 0), sigma.item()))[
            None, None
        ]

    planes = (torch.from_numpy(plane)[None, None] for plane in (grain, ground))
    found = getattr(batch_noise, name)(*planes, draw, blurred)[0, 0].numpy()
    inner = np.s_[12:-12, 12:-12]
    assert (np.abs(found - expected)[inner] > 1e-5).mean() < 2e-3  # two lines may vary alike
    assert np.abs(expected - grain).max() > 0.02


@pytest.mark.parametrize("chosen", [False, True])
def test_what_a_camera_does_not_smooth_stays(chosen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that are not smoothed keep their noise, value for value."""
    white = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    draw = batch_noise._Draw(3, torch.Generator().manual_seed(1))
    monkeypatch.setattr(draw, "chance", lambda probability: torch.full((3, 1, 1, 1), chosen))
    smooth = batch_noise._smooth(white, torch.rand_like(white), draw)
    assert torch.equal(smooth, white) != chosen


def test_shares_are_right_on_average() -> None:
    """Of small batches too: the number is drawn, below or above."""
    rng = np.random.default_rng(0)
    for count in (1, 3, 20):
        drawn = [batch_noise.part_of(count, 0.35, rng) for _ in range(4000)]
        assert np.mean(drawn) == pytest.approx(0.35 * count, abs=0.03)
        assert set(drawn) == {int(0.35 * count), int(0.35 * count) + (count != 20)}
    assert batch_noise.part_of(4, 1.0, rng) == 4


def test_scales_average_what_one_image_has() -> None:
    """Photos that are shrunk are shrunk by 1.5 on average, from hardly to by half."""
    assert np.mean(batch_noise._SCALES) == 1.5
    assert min(batch_noise._SCALES) < 1.1 and max(batch_noise._SCALES) > 1.9


def test_the_seam_is_cut_off() -> None:
    """What lies beyond it knows nothing of the opposite edge, where blurs are as wide as drawn."""
    image = np.full((96, 96, 3), 0.4, np.float32)
    image[:, 48:] = 0.7  # flat to the edges, which lie beside each other for a transform
    grain = 0.01 * torch.randn(60, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    scene = tensor(image).expand(60, -1, -1, -1)
    smooth = batch_noise._smooth(grain, scene, batch_noise._Draw(60, torch.Generator()))
    by_column = batch_noise.brightness(smooth).square().mean((0, 1, 2)).sqrt()
    even, seam = by_column[20:28].mean(), by_column[[0, 1, 94, 95]].mean()
    assert seam > 1.2 * even  # as beside a real edge
    beyond = by_column[batch_noise.SEAM : batch_noise.SEAM + 4].mean()
    assert float(beyond) == pytest.approx(float(even), rel=0.05)


def test_wrapped_blur_is_opencvs() -> None:
    """The damping of a wave is what OpenCV's kernel of that sigma does to it."""
    y = np.arange(128, dtype=np.float32)
    for sigma in (0.3, 0.54, 0.8, 1.05, 2.0, 7.0):
        wave = np.cos(2 * np.pi * y * 5 / 128)
        image = np.tile(wave[:, None], (3, 128))  # repeated, so that its middle knows no edge
        blurred = cv2.GaussianBlur(image, (0, 0), sigma)[128:256]
        damped = batch_noise._blur(torch.tensor(sigma).view(1, 1, 1, 1), 128)[0, 5]
        assert float(damped) == pytest.approx(float(blurred[0, 64] / wave[0]), abs=2e-4)
