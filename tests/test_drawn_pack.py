"""What is drawn for the photo weights to leave alone: skies of stars, small sharp photos."""

from typing import cast

import cv2
import make_screens
import numpy as np
from choose_images import Pixels, Sources

from imgclean.scenes import render_scene


class _Photos:
    """One drawn scene for every photo that is asked for."""

    def photo(self, _: np.random.Generator) -> Pixels:
        return render_scene(np.random.default_rng(1), 300, 400)


SOURCES = cast(Sources, _Photos())


def test_skies_are_dark_and_have_points_of_light() -> None:
    shares = []
    for index in range(8):
        sky = make_screens.draw_sky(SOURCES, index, 192)
        assert sky.shape == (192, 192, 3) and sky.dtype == np.uint8
        upper = sky[:96].max(axis=2)  # some have a scene below
        assert np.median(upper) < 140
        points = upper > 1.2 * cv2.medianBlur(upper, 9).astype(np.float64) + 12
        shares.append(points.mean())
    assert np.median(shares) > 0.001 and max(shares) < 0.5
    again = make_screens.draw_sky(SOURCES, 7, 192)
    assert np.array_equal(sky, again)


def test_small_photos_are_smaller_and_no_softer() -> None:
    scene = _Photos().photo(np.random.default_rng(0))

    def sharpness(image: Pixels) -> float:
        plane = image.mean(axis=2)
        return float(np.abs(np.diff(plane, axis=1)).mean())

    small = [make_screens.draw_small(SOURCES, index, 384) for index in range(6)]
    assert all(160 <= min(image.shape[:2]) <= 300 for image in small)
    assert len({image.shape for image in small}) > 2
    assert np.mean([sharpness(image) for image in small]) > 1.2 * sharpness(scene)
