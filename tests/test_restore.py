import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage

from imgclean import restore
from imgclean.devices import feature_budget, is_out_of_memory
from imgclean.errors import ImageError, UsageError, WeightsError
from imgclean.memory import free_memory
from imgclean.models import UNet
from imgclean.restore import Denoiser
from imgclean.stretch import put_back, stretch
from imgclean.weights import Weights, data_folder, load_weights, save

SMALL: dict[str, Any] = {"widths": [8, 12, 16], "down": [1, 1], "bottom": 1, "up": [1, 1]}


def strong_network(seed: int = 0, **config: Any) -> Weights:
    """Random weights whose output differs visibly from the input everywhere."""
    torch.manual_seed(seed)
    network = UNet(**{**SMALL, **config})
    with torch.no_grad():
        network.tail.weight.mul_(4)
    return Weights("test", Path("test"), "unet", network.config, network.state_dict(), {}, "0")


def noise(*shape: int, dtype: str = "uint8", seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.random(shape, np.float32)
    return rng.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


def cpu(weights: Weights, **options: Any) -> Denoiser:
    return Denoiser(weights, **{"device": "cpu", "precision": "fp32", **options})


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(40, 33), (40, 33, 1), (40, 33, 3), (40, 33, 4)])
def test_shape_and_type(dtype: str, shape: tuple[int, ...]) -> None:
    """What comes out has the shape and type of what went in, and alpha is untouched."""
    image = noise(*shape, dtype=dtype)
    before = image.copy()
    cleaned = cpu(strong_network())(image)
    assert cleaned.shape == image.shape and cleaned.dtype == image.dtype
    assert np.array_equal(image, before), "the input was changed"
    assert not np.array_equal(cleaned, image)
    if shape[-1] == 4:
        assert np.array_equal(cleaned[..., 3], image[..., 3])


def test_contrast_scales_about_the_centre() -> None:
    """A network without biases scales what lies around its centre, and keeps the centre."""
    denoiser = cpu(strong_network(centre=0.5))
    around = noise(32, 48, 3, dtype="float32") - 0.5
    full, fifth = denoiser(0.5 + around) - 0.5, denoiser(0.5 + 0.2 * around) - 0.5
    assert np.allclose(fifth, 0.2 * full, atol=1e-5)
    assert np.array_equal(
        denoiser(np.full((16, 16, 3), 0.5, np.float32)), np.full((16, 16, 3), 0.5)
    )


def test_strength() -> None:
    """Strength 0 is the input bit for bit, and half strength lies half way."""
    image = noise(32, 48, 3, dtype="float32")
    denoiser = cpu(strong_network())
    full, half, none = (denoiser(image, strength) for strength in (1.0, 0.5, 0.0))
    assert np.array_equal(none, image)
    assert np.allclose(half, (full + image) / 2, atol=1e-6)
    with pytest.raises(UsageError, match="from 0 to 1"):
        denoiser(image, 1.5)


def test_strength_mixes_what_is_shown() -> None:
    """In whole numbers half strength lies half way to the clipped output, however far beyond."""
    image = noise(32, 48, 3)
    denoiser = cpu(strong_network())
    full, half = (denoiser(image, strength).astype(int) for strength in (1.0, 0.5))
    assert np.count_nonzero((full == 0) | (full == 255)) > 100
    assert np.abs(2 * half - full - image).max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (7, 9), (8, 8)])
def test_tiny_images(size: tuple[int, int]) -> None:
    """Any size works, down to one pixel."""
    assert cpu(strong_network())(noise(*size, 3)).shape == (*size, 3)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("tile", [64, 100, 256])
def test_tiles_equal_the_whole(tile: int, channels: int) -> None:
    """However an image is cut, no pixel differs by more than 1/255."""
    image = noise(333, 407, channels)
    whole = cpu(strong_network())(image)
    tiled = cpu(strong_network(), tile=tile)(image)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_tiles_in_half_precision() -> None:
    """The same in bfloat16, where values are rounded on the way."""
    image = noise(200, 300, 3)
    whole = cpu(strong_network(), precision="bf16")(image)
    tiled = cpu(strong_network(), precision="bf16", tile=64)(image)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_halo_covers_the_receptive_field() -> None:
    """No pixel further away than the halo has any influence."""
    network = UNet(**SMALL).double()
    size = 2 * network.halo + 64
    image = torch.rand(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    middle = size // 2
    network(image)[0, :, middle : middle + 8, middle : middle + 8].sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert middle - int(rows.min()) <= network.halo
    assert int(rows.max()) - (middle + 7) <= network.halo


@pytest.mark.parametrize("fast", [True, False])
def test_half_precision_is_tried_only_where_it_is_computed(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor that would emulate it takes single precision without a trial."""
    denoiser = cpu(strong_network(), precision="auto")
    tried: list[str] = []

    def forward(tiles: list[Any], _: list[float], __: float, precision: str) -> list[Any]:
        tried.append(precision)
        return tiles

    monkeypatch.setattr("imgclean.tiled_network.fast_bfloat16", lambda device: fast)
    monkeypatch.setattr(denoiser, "_forward", forward)
    assert denoiser.precision in ("fp32", "bf16")
    assert set(tried) == ({"fp32", "bf16"} if fast else set())


@pytest.mark.parametrize(
    ("share", "apart", "pace", "taken"),
    [
        (0.0, 0, 2.0, "bf16"),
        (0.2, 1, 2.0, "bf16"),  # what rounding does
        (0.3, 1, 2.0, "fp32"),  # too many values
        (0.001, 4, 2.0, "bf16"),  # a few values at an edge
        (0.001, 5, 2.0, "fp32"),
        (0.0, 0, 1.05, "fp32"),  # not worth it
    ],
)
def test_half_precision_is_taken_where_it_is_faster_and_as_good(
    share: float, apart: int, pace: float, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may differ by about what rounding does, and by four levels in a few places."""
    denoiser = cpu(strong_network(), precision="auto")
    now = 0.0

    def forward(tiles: list[Any], _: list[float], __: float, precision: str) -> list[Any]:
        nonlocal now
        now += 1.0 if precision == "bf16" else pace
        if precision == "fp32":
            return tiles
        values = tiles[0].astype(np.int16).ravel()
        some = values[: round(share * values.size)]
        some += np.where(some < 128, apart, -apart).astype(np.int16)
        return [values.reshape(tiles[0].shape).astype(np.uint8)]

    monkeypatch.setattr("imgclean.tiled_network.fast_bfloat16", lambda device: True)
    monkeypatch.setattr("imgclean.tiled_network.time.perf_counter", lambda: now)
    monkeypatch.setattr(denoiser, "_forward", forward)
    assert denoiser.precision == taken


@pytest.mark.parametrize(
    ("held", "available", "budget"),
    [
        (8_700_000, 16 * 10**9, 1_382_600_000),  # a page of A4 in one tile
        (8_700_000, 2 * 10**9, 1_000_000_000),
        (8_700_000, 0, 500_000_000),  # unknown
        (600_000_000, 16 * 10**9, 500_000_000),
        (1_200_000_000, 16 * 10**9, 150_000_000),
    ],
)
def test_features_get_more_memory_beside_small_images(
    held: int, available: int, budget: int
) -> None:
    """Up to half of what the machine has left; beside giant images as little as ever."""
    assert feature_budget(held, available) == budget


def test_the_memory_left_is_known(tmp_path: Path) -> None:
    """On Linux the system tells; in a container its own limit counts."""
    assert free_memory() > 10**8 or not Path("/proc/meminfo").exists()
    assert free_memory(tmp_path) == 0
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    assert free_memory(tmp_path) == 5000 * 1024
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("1000000\n")
    for limit, left, more in (
        ("max", 5000 * 1024, 5000 * 1024),
        ("3000000", 2000000, 2001000),
        ("900000", 0, 0),
    ):
        (group / "memory.max").write_text(f"{limit}\n")
        assert free_memory(tmp_path) == left
        (group / "memory.stat").write_text("anon 7\ninactive_file 1000\n")
        assert free_memory(tmp_path) == more
        (group / "memory.stat").unlink()


@pytest.mark.parametrize("inside", [False, True])
def test_limits_of_control_groups(tmp_path: Path, inside: bool) -> None:
    """Of a service's own, of version 2, and of version 1, whose path a container does not see."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemAvailable: 5000 kB\n")
    second = tmp_path / "sys/fs/cgroup/system.slice/a.service"
    first = tmp_path / "sys/fs/cgroup/memory" / ("docker/b" if inside else "")
    for group, names in (
        (second, ("memory.max", "memory.current")),
        (first, ("memory.limit_in_bytes", "memory.usage_in_bytes")),
    ):
        group.mkdir(parents=True)
        own = tmp_path / "proc/self/cgroup"
        own.write_text("12:cpu,cpuacct:/x\n4:memory:/docker/b\n0::/system.slice/a.service\n")
        (group / names[0]).write_text("3000000\n")
        (group / names[1]).write_text("1000000\n")
        assert free_memory(tmp_path) == 2000000
        (group / names[0]).write_text("9223372036854771712\n")
        assert free_memory(tmp_path) == 5000 * 1024


def test_precision_is_the_one_asked_for() -> None:
    """Also where the caller has automatic precision on; what is no image is said to be none."""
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    denoiser = Denoiser(strong_network(), device="cpu", precision="fp32")
    expected = denoiser(image)
    with torch.autocast("cpu", torch.bfloat16):
        assert np.array_equal(denoiser(image), expected)
    with pytest.raises(UsageError, match=r"cv2\.imread gives None"):
        denoiser(np.array(None))


def test_onednn_out_of_memory() -> None:
    assert is_out_of_memory(RuntimeError("could not create a primitive"))
    assert not is_out_of_memory(RuntimeError("size mismatch"))


def test_a_memory_limit_cuts_tiles() -> None:
    """With little memory an image is tiled by itself, and the pixels stay."""
    image = noise(900, 700, 3)
    small = cpu(strong_network(), memory=1_000_000)
    assert len(small._grid(900, 700, image.nbytes)[0]) > 2
    assert np.abs(cpu(strong_network())(image).astype(int) - small(image)).max() <= 1


def test_tiles_are_no_smaller_than_their_halo() -> None:
    """However little memory there is: below that, the work and the number of shapes explode."""
    denoiser = restore.load("scan", device="cpu", precision="fp32", memory=1)
    halo = denoiser._halo
    rows, columns = denoiser._grid(3000, 4000, 1)
    assert len(rows) > 3 and len(columns) > 3  # it is tiled
    assert min(rows[1] - rows[0], columns[1] - columns[0]) >= halo


def test_out_of_memory_takes_smaller_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that runs out of memory gets smaller tiles and gives the same pixels."""
    image = noise(400, 300, 3)
    denoiser = cpu(strong_network())
    whole = denoiser(image)
    forward = Denoiser._forward

    def cramped(self: Denoiser, tiles: list[NDArray[Any]], *rest: Any) -> list[NDArray[Any]]:
        if tiles[0].shape[0] * tiles[0].shape[1] > 60_000:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, tiles, *rest)

    monkeypatch.setattr(Denoiser, "_forward", cramped)
    assert np.abs(denoiser(image).astype(int) - whole).max() <= 1


def test_sixteen_bits_where_they_are_no_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPS converts no whole numbers of 16 bits: they become floats before they go there."""
    denoiser, image = cpu(strong_network()), noise(40, 33, 3, dtype="uint16")
    expected, mps, move, moved = denoiser(image), torch.device("mps"), torch.Tensor.to, []

    def to(values: torch.Tensor, *target: Any, **options: Any) -> torch.Tensor:
        if target == (mps,):
            moved.append(values.dtype)
            return values
        return move(values, *target, **options)

    monkeypatch.setattr(torch.Tensor, "to", to)
    denoiser.device = mps
    np.testing.assert_array_equal(denoiser(image), expected)
    assert moved == [torch.float32]


def test_batches_equal_single_images() -> None:
    """Images that share a batch come out as they would alone."""
    images = [noise(64, 80, 3, seed=seed) for seed in range(5)] + [noise(40, 40, 1)]
    alone = [cpu(strong_network())(image) for image in images]
    cpu(strong_network(), batch_size=4).clean(images)
    for one, other in zip(images, alone, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


@pytest.mark.parametrize("config", [{}, {"ink": True}, {"centre": 0.5}])
def test_grey_equals_three_equal_channels(config: dict[str, Any]) -> None:
    """The grey network gives the mean of what the colour network gives."""
    grey = noise(64, 64, 1, dtype="float32")
    denoiser = cpu(strong_network(**config))
    colour = denoiser(np.repeat(grey, 3, axis=2)).mean(axis=2, keepdims=True)
    assert np.allclose(denoiser(grey), colour, atol=1e-5)


def test_non_finite_output_is_redone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half precision that overflows is computed again in fp32 and never written."""
    image = noise(64, 64, 3)
    denoiser = cpu(strong_network(), precision="bf16")
    residual = Denoiser._residual

    def overflowing(
        self: Denoiser, noisy: torch.Tensor, precision: str, *, twice: bool
    ) -> torch.Tensor:
        result = residual(self, noisy, precision, twice=twice)
        return result / 0 if precision == "bf16" else result

    monkeypatch.setattr(Denoiser, "_residual", overflowing)
    cleaned = denoiser(image)
    assert denoiser.redone == 1
    assert np.array_equal(cleaned, cpu(strong_network())(image))


def test_output_that_is_never_finite_is_refused() -> None:
    """Weights that give NaN in fp32 too end in an error, not in a black image."""
    weights = strong_network()
    weights.state["tail.weight"].fill_(float("inf"))
    with pytest.raises(ImageError, match="not finite"):
        cpu(weights)(noise(16, 16, 3))


def test_nan_input_is_refused() -> None:
    """A float image with NaN is an error that says so."""
    image = noise(8, 8, 3, dtype="float32")
    image[3, 3] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        cpu(strong_network())(image)


def test_arrays_without_pixels_are_refused() -> None:
    """An empty crop is an error of ours, so that who catches those catches it."""
    with pytest.raises(UsageError, match=r"\(0, 5, 3\): holds no pixels"):
        cpu(strong_network())(np.zeros((0, 5, 3), np.uint8))


def test_floats_of_another_scale_are_refused() -> None:
    """Bytes in floats would be taken for light 255 times as bright as white; noise passes."""
    image = noise(8, 8, 3, dtype="float32")
    with pytest.raises(UsageError, match=r"to .*\[0, 1\]"):
        cpu(strong_network())(image * np.float32(255))
    cpu(strong_network())(image * 3 - 1)
    image[3, 4] = -9999  # stands for no data in some fields
    with pytest.raises(UsageError, match="-9999 to"):
        cpu(strong_network())(image)


def test_a_path_is_no_image() -> None:
    with pytest.raises(UsageError, match="denoise_folder takes paths"):
        cpu(strong_network())("scan.png")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4), np.int32)])
def test_wrong_arrays_are_refused(bad: NDArray[Any]) -> None:
    """Shapes and types outside the contract are named."""
    with pytest.raises(UsageError, match="give"):
        cpu(strong_network())(bad)


@pytest.mark.parametrize("mode", ["P", "CMYK", "YCbCr", "HSV"])
def test_pillows_other_colours_are_refused(mode: str) -> None:
    """Numbers of a palette's colours are no brightness, and black ink is no alpha."""
    image = PillowImage.fromarray(noise(8, 8, 3)).convert(mode)
    with pytest.raises(UsageError, match=rf"of mode {mode}: give its convert\("):
        cpu(strong_network())(image)  # type: ignore[arg-type]
    cleaned = cpu(strong_network())(image.convert("RGB"))  # type: ignore[arg-type]
    assert cleaned.shape == (8, 8, 3)


@pytest.mark.parametrize(
    "options",
    [{"tile": 1.5}, {"tile": 0}, {"memory": "1G"}, {"memory": -1}, {"batch_size": "2"}],
)
def test_wrong_limits_are_refused(options: dict[str, Any]) -> None:
    """At once, by name."""
    with pytest.raises(UsageError, match=f"{next(iter(options))}=.*: give a whole number"):
        Denoiser(strong_network(), device="cpu", **options)


def test_a_denoiser_travels_to_other_processes() -> None:
    """Used or not, it can be pickled, and cleans alike there."""
    denoiser, image = cpu(strong_network()), noise(40, 33, 3)
    cleaned = denoiser(image)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(denoiser))(image), cleaned)


def test_what_scripts_hold_is_taken() -> None:
    """NumPy's numbers and PyTorch's devices."""
    weights = strong_network()
    given: dict[str, Any] = {"device": torch.device("cpu", 0), "tile": np.int64(64)}
    denoiser, half = cpu(weights, **given), np.float32(0.5)
    image = noise(40, 33, 3)
    np.testing.assert_array_equal(denoiser(image, float(half)), denoiser(image, half))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="strength=None"):
        denoiser(image, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "cpu:1", "cuda:x", "cpu:", "cuda:²"])
def test_absent_devices_are_errors(device: str) -> None:
    """A device that is not there is never replaced by another."""
    with pytest.raises(UsageError, match="--device"):
        Denoiser(strong_network(), device=device)


def test_weights_round_trip(tmp_path: Path) -> None:
    """Saved weights load with their card, in half precision."""
    weights = strong_network()
    path = tmp_path / "mine.safetensors"
    save(path, architecture="unet", config=weights.config, state=weights.state, card={"a": 1})
    loaded = load_weights(str(path))
    assert loaded.config == weights.config and loaded.card["a"] == 1
    assert torch.equal(loaded.state["tail.weight"], weights.state["tail.weight"].half().float())
    assert restore.load(str(path), device="cpu").name == "mine"


def test_a_card_of_names_that_are_no_text(tmp_path: Path) -> None:
    """A folder of photos may have one: the weights are kept, and the card gives it back."""
    card = {"summary": "trained on \udcff, and on é", "headline": []}
    state = strong_network().state
    save(tmp_path / "w.safetensors", architecture="unet", config=SMALL, state=state, card=card)
    assert "é" in (tmp_path / "w.json").read_text(encoding="utf-8")
    assert load_weights(str(tmp_path / "w.safetensors")).card.items() >= card.items()


def test_damaged_weights(tmp_path: Path) -> None:
    """Weights cut short, pickled, foreign or changed are refused with a reason."""
    weights = strong_network()
    path = tmp_path / "mine.safetensors"
    save(path, architecture="unet", config=weights.config, state=weights.state, card={})
    data = path.read_bytes()
    cases = {
        "short": data[: len(data) // 2],
        "header": data[:20],
        "empty": b"",
        "changed": data[:-1] + bytes([data[-1] ^ 1]),
    }
    for content in cases.values():
        path.write_bytes(content)
        with pytest.raises(WeightsError, match="mine.safetensors"):
            load_weights(str(path))


@pytest.mark.parametrize(
    ("architecture", "config"),
    [
        ("other", {}),
        ("unet", {"depth": 3}),
        ("unet", {**SMALL, "widths": [-8, 12, 16]}),
        ("unet", {**SMALL, "widths": [8, 12, 24]}),
        ("unet", {"widths": []}),
    ],
)
def test_weights_that_build_no_network(
    tmp_path: Path, architecture: str, config: dict[str, Any]
) -> None:
    """An architecture or configuration that does not fit is the weights' fault."""
    path = tmp_path / "odd.safetensors"
    state = strong_network().state
    save(path, architecture=architecture, config=config, state=state, card={})
    with pytest.raises(WeightsError, match="odd.safetensors"):
        restore.load(str(path), device="cpu")


@pytest.mark.parametrize("foreign", ["[1]", "{", "7", "[" * 200_000, '{"summary": 5}'])
def test_other_json_beside_weights(
    tmp_path: Path, foreign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no card is none of one's own weights, and damage to shipped ones'."""
    path = tmp_path / "mine.safetensors"
    weights = strong_network()
    save(path, architecture="unet", config=weights.config, state=weights.state, card={})
    path.with_suffix(".json").write_text(foreign)
    loaded = load_weights(str(path))
    assert loaded.card == {} and loaded.config == weights.config
    monkeypatch.setattr("imgclean.weights.data_folder", lambda name: tmp_path)
    with pytest.raises(WeightsError, match=r"mine\.json: .*install again"):
        load_weights("mine")


def test_no_header_is_taken_for_a_pickle(tmp_path: Path) -> None:
    """A header of 640 bytes begins as a pickle does, and is none."""
    path = tmp_path / "mine.safetensors"
    weights = strong_network()
    for pad in range(8, 2000, 8):
        config = {**weights.config, "unshuffle": 2}
        state = {"x" * pad: torch.zeros(1)}
        save(path, architecture="unet", config=config, state=state, card={})
        if path.read_bytes()[:2] == b"\x80\x04":
            break
    assert path.read_bytes()[:2] == b"\x80\x04"
    assert load_weights(str(path)).architecture == "unet"


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    """A PyTorch pickle is never opened, so nothing in it can run."""
    path = tmp_path / "evil.pt"
    torch.save({"weights": torch.zeros(3)}, path)
    with pytest.raises(WeightsError, match="pickle"):
        load_weights(str(path))


def test_unknown_names_list_the_known() -> None:
    """A name that does not exist is answered with those that do."""
    with pytest.raises(WeightsError, match="photo-best"):
        load_weights("phto")


def test_random_numbers_stay_what_they_were() -> None:
    """Whoever seeded PyTorch gets the same numbers with a denoiser and without."""
    torch.manual_seed(3)
    expected = torch.rand(1)
    weights = strong_network()
    torch.manual_seed(3)
    denoiser = Denoiser(weights, device="cpu")
    denoiser(noise(32, 32, 3))
    denoiser(noise(32, 32))
    assert torch.equal(torch.rand(1), expected)


def frame(kind: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """A camera's dark frame with a few spots: noisy and clean, in 16 bits or the same as float."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:160, :160]
    spots = [300 * np.exp(-((y - a) ** 2 + (x - b) ** 2) / 200) for a, b in ((50, 60), (110, 90))]
    clean = 100 + sum(spots)
    noisy = np.rint(clean + rng.normal(0, 8, clean.shape)).clip(0)
    if kind == "float32":
        return (noisy / 65535).astype(np.float32), clean / 65535
    return noisy.astype(np.uint16), clean


@pytest.mark.parametrize("kind", ["uint16", "float32"])
@pytest.mark.parametrize("model", ["photo", "photo-best", "gaussian"])
def test_little_of_the_range(model: str, kind: str) -> None:
    """What uses a hundredth of the range is cleaned as well; hot pixels stay."""
    noisy, clean = frame(kind)
    noisy[7, 9] = 65535 if kind == "uint16" else 1.0
    cleaned = restore.load(model, device="cpu", precision="fp32")(noisy)
    assert cleaned.dtype == noisy.dtype and cleaned[7, 9] == noisy[7, 9]
    cleaned[7, 9] = noisy[7, 9] = clean[7, 9]
    before, after = (np.sqrt(np.mean((i - clean) ** 2)) for i in (noisy, cleaned))
    assert after < 0.35 * before
    assert abs(cleaned.mean() - noisy.mean()) < 0.1 * before


def test_a_copy_of_shipped_weights(tmp_path: Path) -> None:
    """The same weights do the same, wherever they lie."""
    copy = shutil.copy(data_folder("weights") / "photo.safetensors", tmp_path / "mine.safetensors")
    noisy = frame("uint16")[0]
    one, two = (
        restore.load(model, device="cpu", precision="fp32")(noisy) for model in ("photo", copy)
    )
    assert np.array_equal(one, two)


def test_a_damaged_card_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps nobody from loading weights that are sound."""
    for name in ("photo.safetensors", "photo.json", "gaussian.safetensors"):
        shutil.copy(data_folder("weights") / name, tmp_path / name)
    (tmp_path / "gaussian.json").write_text("{")
    monkeypatch.setattr("imgclean.weights.data_folder", lambda name: tmp_path)
    assert restore.load("photo", device="cpu").name == "photo"
    with pytest.raises(WeightsError, match=r"gaussian\.json"):
        restore.load("gaussian", device="cpu")


@pytest.mark.parametrize("level", [0, 100, 20_000, 65_535])
def test_even_images_stay_even(level: int) -> None:
    """A network's own error must not show where there is nothing."""
    image = np.full((64, 80, 1), level, np.uint16)
    cleaned = restore.load("photo", device="cpu", precision="fp32")(image)
    assert abs(cleaned.astype(int) - level).max() <= 1


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_stretching_is_undone(kind: str) -> None:
    """Nothing between: the image as it was, spots outside of what is used too."""
    image = frame(kind)[0][..., None]
    image[3, 5], image[90, 20] = image.max() * 40, 0
    before = image.copy()
    stretched = stretch(image)
    assert stretched is not None and stretched.factor > 10
    top = 65535 if kind == "uint16" else 1
    assert 0.5 * top < image.max() - image.min() <= top
    put_back(image, stretched)
    np.testing.assert_allclose(image, before, rtol=1e-6, atol=0 if kind == "uint16" else 1e-9)
    for other in (noise(20, 20, 3, dtype=kind), noise(20, 20, 3)):
        before = other.copy()
        assert stretch(other) is None and np.array_equal(other, before)


def test_own_weights_know_their_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that do not ship see images as they are."""
    monkeypatch.setattr(restore, "stretch", None)
    image = frame("float32")[0]
    assert not np.array_equal(cpu(strong_network())(image), image)


@pytest.mark.parametrize("model", ["photo", "photo-best", "gaussian"])
def test_clipped_highlights_stay_white(model: str) -> None:
    """A bright image of little range with white in it: what overshoots does not begin at black."""
    image = np.random.default_rng(0).normal(63_500, 500, (128, 128)).clip(0, 65_535)
    image[40:90, 40:90] = 65_535
    cleaned = restore.load(model, device="cpu", precision="fp32")(image.astype(np.uint16))
    assert cleaned.min() > 60_000


def test_a_mosaic_is_seen_whole() -> None:
    """What is sampled of a raw image holds all its colours."""
    raw = np.empty((1600, 1600, 1), np.uint16)
    levels = np.random.default_rng(0).normal(0, 20, (800, 800, 4)) + [800, 3000, 3000, 1200]
    for place, (row, column) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        raw[row::2, column::2, 0] = levels[..., place]
    stretched = stretch(raw)
    assert stretched is not None and len(stretched.places) < 0.005 * raw.size


def test_samples_that_tell_wrong_change_nothing() -> None:
    """Where much lies outside of what samples told, the image stays as it is."""
    image = np.full((3001, 3001, 1), 1000, np.uint16)
    image[1::3] = 40_000
    image[::5, ::5] = 1000
    before = image.copy()
    assert stretch(image) is None and np.array_equal(image, before)


def test_shipped_weights_by_any_name() -> None:
    """A path to shipped weights means the same as their name."""
    named = restore.load("photo", device="cpu", precision="fp32")
    path = os.path.relpath(named.weights.path)
    noisy = frame("uint16")[0]
    assert np.array_equal(restore.load(path, device="cpu", precision="fp32")(noisy), named(noisy))
