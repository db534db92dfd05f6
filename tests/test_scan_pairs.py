import cv2
import numpy as np
from numpy.typing import NDArray
from scan_pairs import _with_marks

Plane = NDArray[np.float32]


def test_marks_are_no_crumbs() -> None:
    """Added full stops are as wide as the page's strokes, added dashes longer than wide."""
    page = np.ones((192, 192, 1), np.float32)
    page[10:182, 10:16] = page[10:182, 30:36] = 0  # strokes of six pixels
    wide, long = [], []
    for seed in range(40):
        marked = _with_marks(page, np.random.default_rng(seed))
        assert marked.dtype == np.float32
        assert marked.shape == page.shape
        assert 0 <= marked.min() <= marked.max() <= 1
        assert (marked <= page).all()
        dark = (marked[..., 0] < 0.75)[:, 40:].astype(np.uint8)
        for x, y, width, height, _ in cv2.connectedComponentsWithStats(dark)[2][1:]:
            if min(x, y) > 0 and x + width < dark.shape[1] and y + height < dark.shape[0]:
                wide.append(min(width, height))
                long.append(max(width, height))
    assert len(wide) > 100
    assert np.quantile(long, 0.02) >= 5  # a crumb is three pixels across at most
    assert min(wide) >= 2
