import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean.errors import UsageError
from imgclean.recipes import TERMS, parse

Array = NDArray[np.float32]


def picture(seed: int = 0, channels: int = 3) -> Array:
    return np.random.default_rng(seed).random((40, 48, channels), np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(TERMS))
def test_every_term_draws(name: str, channels: int) -> None:
    """Every term alone gives a finite image of the same shape, the same for the same seed."""
    clean, recipe = picture(channels=channels), parse(name)
    noisy, target = recipe(clean, np.random.default_rng(1))
    again, _ = recipe(clean, np.random.default_rng(1))
    assert noisy.shape == target.shape == clean.shape and noisy.dtype == np.float32
    assert np.isfinite(noisy).all() and np.array_equal(noisy, again)
    assert name in ("scan",) or np.array_equal(target, clean)


def test_gaussian_is_in_8_bit_units() -> None:
    """gaussian:25 has a standard deviation of 25 of 255 and is not clipped."""
    flat = np.ones((256, 256, 1), np.float32)
    noisy, _ = parse("gaussian:25")(flat, np.random.default_rng(0))
    assert np.std(noisy) == pytest.approx(25 / 255, rel=0.02) and noisy.max() > 1.1


def test_a_range_is_drawn_for_every_image() -> None:
    """gaussian:0-55 draws another sigma for each image, all within the range."""
    flat, rng = np.ones((64, 64, 1), np.float32), np.random.default_rng(0)
    recipe = parse("gaussian:10-50")
    sigmas = [255 * float(np.std(recipe(flat, rng)[0])) for _ in range(60)]
    assert 9 < min(sigmas) < 18 and 42 < max(sigmas) < 53


def test_the_tutorials_noise() -> None:
    """gaussian:sigma=0.5,mean=0.5 is drawn on [0, 1] with a mean, and clipped."""
    black = np.zeros((200, 200, 1), np.float32)
    noisy, _ = parse("gaussian:sigma=0.5,mean=0.5")(black, np.random.default_rng(0))
    assert noisy.min() == 0 and noisy.max() == 1
    inside = noisy[(noisy > 0) & (noisy < 1)]
    assert inside.mean() == pytest.approx(0.5, abs=0.01)
    assert np.mean(noisy == 0) == pytest.approx(0.1587, abs=0.01)  # a normal below -1 sigma


@pytest.mark.parametrize("text", ["gaussian:25", "gaussian:sigma=0.5,mean=0.5", "none"])
def test_batches_have_the_same_noise_as_images(text: str) -> None:
    """Drawn for a batch of tensors, the noise has the distribution it has for one image."""
    flat = np.full((200, 200, 1), 0.3, np.float32)
    one, _ = parse(text)(flat, np.random.default_rng(0))
    assert parse(text).on_tensors and not parse(text + "+blur").on_tensors
    batch = torch.full((1, 1, 200, 200), 0.3)
    many = parse(text).on_batch(batch, torch.Generator().manual_seed(0)).numpy()
    assert many.mean() == pytest.approx(one.mean(), abs=0.01)
    assert many.std() == pytest.approx(one.std(), abs=0.01)


def test_terms_act_in_order() -> None:
    """Terms joined by + act one after another: noise before a blur is blurred."""
    flat = np.full((100, 100, 1), 0.5, np.float32)
    before, _ = parse("gaussian:50+blur:2")(flat, np.random.default_rng(0))
    after, _ = parse("blur:2+gaussian:50")(flat, np.random.default_rng(0))
    assert before.std() < 0.3 * after.std()


def test_shares() -> None:
    """Saltpepper and mask change the share of pixels that they are told to."""
    half = np.full((100, 100, 3), 0.5, np.float32)
    salted, _ = parse("saltpepper:0.2")(half, np.random.default_rng(0))
    assert np.mean(salted[..., 0] != 0.5) == pytest.approx(0.2, abs=0.02)
    assert np.mean(salted[..., 0] == 1) == pytest.approx(0.1, abs=0.02)
    holed, _ = parse("mask:0.4")(half, np.random.default_rng(0))
    assert np.mean(holed == 0) == pytest.approx(0.4, abs=0.02)


def test_poisson_variance_is_the_mean_over_photons() -> None:
    """Photon noise has the variance of a Poisson distribution."""
    flat = np.full((200, 200, 1), 0.5, np.float32)
    noisy, _ = parse("poisson:50")(flat, np.random.default_rng(0))
    assert np.var(noisy) == pytest.approx(0.5 / 50, rel=0.05)


def test_numbers_with_exponents() -> None:
    """A minus sign in an exponent is no range."""
    assert parse("gaussian:1e-3-2e0").steps[0].values == (0.001, 2.0)


def test_grey_takes_the_colour_away() -> None:
    """The noisy image has three equal channels; the target keeps its colours."""
    noisy, target = parse("grey")(picture(), np.random.default_rng(0))
    assert np.array_equal(noisy[..., 0], noisy[..., 2])
    assert not np.array_equal(target[..., 0], target[..., 2])


@pytest.mark.parametrize("name", ["photo", "grain"])
def test_a_single_pixel_gets_noise_like_any(name: str) -> None:
    """Noise that is scaled by its own deviation is not divided by that of one value, zero."""
    pixel = np.full((1, 1, 3), 0.5, np.float32)
    for seed in range(40):
        noisy, _ = parse(name)(pixel, np.random.default_rng(seed))
        assert np.abs(noisy - pixel).max() < 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gaussian:25+blurr", "'blurr' is not a kind"),
        ("gaussian:lots", "'lots' is not a number"),
        ("gaussian:55-0", "not a range"),
        ("gaussian:-5", "not a number"),
        ("camera:3", "takes no number"),
        ("jpeg:0-200", "1 to 100"),
        ("blur:sigma=2", "only gaussian"),
        ("gaussian:mean=0.5", "only gaussian"),
        ("gaussian:sigma=0.5,junk", "only gaussian"),
        ("gaussian:sigma=0.5,mean", "not a number"),
        ("gaussian:1_0", "not a number"),
        ("gaussian:1e9", r"0 to 255 \(sigma of 255\)"),
        ("gaussian:sigma=11", "sigma of 0 to 10"),
        ("gaussian:sigma=0.5,mean=2", "mean of 0 to 1"),
        ("speckle:9", "0 to 2"),
        ("poisson:0.1", "1 to 1e.06"),
        ("blur:1e5", "0 to 100"),
        ("", "missing"),
        ("gaussian:25+", "missing"),
        ("blur+scan", "come first"),
    ],
)
def test_wrong_terms_are_pointed_at(text: str, words: str) -> None:
    """The message says what is wrong, marks the place, and lists the right terms."""
    with pytest.raises(UsageError, match=words) as caught:
        parse(text)
    _, shown, mark, terms = str(caught.value).split("\n")
    wrong = text.split("+")[-1]
    assert shown.strip() == text and mark.index("^") == 2 + len(text) - len(wrong)
    assert all(name in terms for name in TERMS)
