import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from imgclean.models import UNet
from imgclean.weights import save

Make = Callable[..., Path]


def heed_interrupts() -> None:
    """For a child process: a shell that starts the tests in the background ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of small random weights that change every image visibly, and quickly."""
    torch.manual_seed(0)
    network = UNet(widths=[8, 12, 16], down=[1, 1], bottom=1, up=[1, 1])
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(path, architecture="unet", config=network.config, state=network.state_dict(), card={})
    return str(path)


@pytest.fixture
def make() -> Make:
    """Writes a small image file and returns its path: ``make(folder / "a.png", 40, 30)``."""

    def write(path: Path, width: int = 40, height: int = 30, *, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        pixels: Any = rng.integers(0, 256, (height, width, 3), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
        return path

    return write
