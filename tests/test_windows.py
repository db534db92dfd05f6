from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean.errors import UsageError
from imgclean.models import MODELS
from imgclean.restore import Denoiser
from imgclean.weights import Weights, load_weights, save
from imgclean.windows import blend


def weights(name: str, **config: Any) -> Weights:
    torch.manual_seed(0)
    model: Any = MODELS[name](**{"height": 8, "width": 8, "latent_dim": 4, **config})
    return Weights("test", Path("test"), name, model.config, model.state_dict(), {}, "0")


@pytest.mark.parametrize("shape", [(8, 8), (30, 21), (5, 40), (3, 4), (8, 9)])
def test_windows_cover_any_size(shape: tuple[int, int]) -> None:
    """Windows that change nothing blend to the image itself, whatever its size."""
    image = np.random.default_rng(0).random((*shape, 3), np.float32)
    seen = []

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(batch.shape[1:])
        return batch

    assert np.allclose(blend(image, (8, 8), run), image, atol=1e-6)
    assert set(seen) == {(8, 8, 3)}


def test_windows_fade_into_each_other() -> None:
    """Windows of different brightness leave no step: neighbours differ by less than they do."""
    rng = np.random.default_rng(0)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.broadcast_to(rng.random((len(batch), 1, 1, 1), np.float32), batch.shape)

    result = blend(np.zeros((16, 200, 1), np.float32), (16, 16), run)[8, :, 0]
    assert np.abs(np.diff(result)).max() < 0.2 < np.ptp(result)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8, 3), (20, 13, 3), (20, 13, 1), (5, 5, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_fixed_size_models_clean_any_image(
    channels: int, shape: tuple[int, ...], dtype: str
) -> None:
    """A model of one size gives any image back in its own shape and type."""
    image = (np.random.default_rng(0).random(shape) * (255 if dtype == "uint8" else 1)).astype(
        dtype
    )
    denoiser = Denoiser(weights("conv-ae", channels=channels), device="cpu")
    cleaned = denoiser(image)
    assert cleaned.shape == image.shape and cleaned.dtype == image.dtype
    assert not np.array_equal(cleaned, image)
    assert np.array_equal(denoiser(image, 0.0), image)


def test_images_of_the_size_share_batches() -> None:
    """Many images of the model's size come out as they do alone."""
    images = [np.random.default_rng(k).random((8, 8, 1), np.float32) for k in range(5)]
    denoiser = Denoiser(weights("dense-ae"), device="cpu")
    alone = [denoiser(image) for image in images]
    denoiser.clean(images)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(images, alone, strict=True))


def test_a_gan_is_refused_with_the_reason() -> None:
    """A model that cannot denoise says why."""
    with pytest.raises(UsageError, match="random codes"):
        Denoiser(weights("gan"), device="cpu")


def test_counters_survive_saving(tmp_path: Path) -> None:
    """Batch normalisation's step counter is saved whole, not in half precision."""
    model: Any = MODELS["conv-ae"](height=8, width=8, latent_dim=4)
    model.encoder[2].num_batches_tracked.fill_(1_000_003)
    path = tmp_path / "mine.safetensors"
    save(path, architecture="conv-ae", config=model.config, state=model.state_dict(), card={})
    loaded = load_weights(str(path))
    assert int(loaded.state["encoder.2.num_batches_tracked"]) == 1_000_003
