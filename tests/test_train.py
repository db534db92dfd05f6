from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from imgclean import muon
from imgclean.balance import Balance
from imgclean.errors import InputError, UsageError
from imgclean.models.unet import ResidualBlock, UNet
from imgclean.muon import Muon, orthogonalise
from imgclean.pairs import Patches, enlarged_patch, load_pack, random_patch, save_pack
from imgclean.train import TrainConfig, Trainer, _Readings

Array = NDArray[np.float32]
SMALL = {"widths": [8, 12], "down": [1], "bottom": 1, "up": [1]}


def draw(rng: np.random.Generator) -> tuple[Array, Array]:
    """A smooth ramp under Gaussian noise."""
    ramp = np.linspace(rng.random(), rng.random(), 32, dtype=np.float32)
    clean = np.ascontiguousarray(np.broadcast_to(ramp[:, None, None], (32, 32, 3)))
    return clean + np.float32(0.1) * rng.standard_normal(clean.shape, np.float32), clean


def trainer(steps: int, **options: object) -> Trainer:
    config = TrainConfig(config=SMALL, steps=steps, max_time=1e9, warmup=10, bf16=False, **options)  # type: ignore[arg-type]
    return Trainer(config, Patches(draw, batch=4, seed=0))


def weights(of: Trainer) -> torch.Tensor:
    return torch.cat([value.flatten() for value in of.average.values()])


def test_training_learns() -> None:
    """In a few dozen steps the loss falls well below that of doing nothing."""
    losses = [step.loss for step in trainer(60, adam_lr=5e-3).run()]
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:5])


def test_a_resumed_run_ends_the_same(tmp_path: Path) -> None:
    """Stopped at any step and resumed, a run ends with the same weights, bit for bit."""
    whole = trainer(12)
    list(whole.run())
    first = trainer(12)
    for step in first.run():
        if step.step == 5:
            break
    first.save(tmp_path / "checkpoint.pt")
    second = trainer(12)
    second.resume(tmp_path / "checkpoint.pt")
    assert [step.step for step in second.run()] == list(range(6, 13))
    assert torch.equal(weights(second), weights(whole))


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    """Continued after its end, a run takes no further step."""
    whole = trainer(6)
    list(whole.run(tmp_path / "checkpoint.pt"))
    again = trainer(6)
    again.resume(tmp_path / "checkpoint.pt")
    assert not list(again.run()) and again.step == 6
    assert torch.equal(weights(again), weights(whole))


@pytest.mark.parametrize(
    ("cooldown", "shares"), [(0.5, [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2]),
                             (1.0, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])]
)  # fmt: skip
def test_the_rate_falls_over_the_end_of_a_run(cooldown: float, shares: list[float]) -> None:
    """Linearly to zero, over the share of the run that was asked for."""
    run = trainer(10, cooldown=cooldown)
    run.config = replace(run.config, warmup=1)
    rates = [run.optimisers[0].param_groups[0]["lr"] for _ in run.run()]
    np.testing.assert_allclose(np.array(rates) / rates[0], shares)


def test_resume_with_other_options_is_refused(tmp_path: Path) -> None:
    """Options that differ from the checkpoint's are listed."""
    trainer(5).save(tmp_path / "checkpoint.pt")
    with pytest.raises(UsageError, match="muon_lr, steps"):
        trainer(6, muon_lr=0.5).resume(tmp_path / "checkpoint.pt")


def test_a_non_finite_loss_stops_the_run() -> None:
    """NaN in the data ends the run before it reaches the weights."""

    def broken(rng: np.random.Generator) -> tuple[Array, Array]:
        noisy, clean = draw(rng)
        return noisy * np.float32(np.nan), clean

    run = Trainer(TrainConfig(config=SMALL, bf16=False), Patches(broken, 2, 0))
    before = weights(run)
    with pytest.raises(FloatingPointError, match="at step 1$"):
        list(run.run())
    assert torch.equal(weights(run), before)


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """A GPU tells of a diverged step late: the checkpoint before it must outlast it."""
    run = trainer(5)
    run.save(tmp_path / "checkpoint.pt")
    good = (tmp_path / "checkpoint.pt").read_bytes()
    with torch.no_grad():
        run.model.tail.weight[0, 0] = torch.nan
    with pytest.raises(FloatingPointError, match="not finite"):
        run.save(tmp_path / "checkpoint.pt")
    assert (tmp_path / "checkpoint.pt").read_bytes() == good


def late(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """Have a run read its losses as it would on a GPU."""
    monkeypatch.setattr(torch.cuda, "Event", Mock)
    run._readings = _Readings(torch.device("cuda"))
    return run


@pytest.mark.parametrize("architecture", ["unet", "gan"])
def test_a_gpu_tells_losses_one_step_late(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step has the loss of the one before, of a GAN that of both its networks."""

    def run() -> Trainer:
        shape = {"height": 32, "width": 32} if architecture == "gan" else SMALL
        config = TrainConfig(architecture, shape, steps=5, max_time=1e9, bf16=False)
        return Trainer(config, Patches(grey if architecture == "gan" else draw, 4, 0))

    def grey(rng: np.random.Generator) -> tuple[Array, Array]:
        noisy, clean = draw(rng)
        return noisy[..., :1], clean[..., :1]

    at_once = [step.loss for step in run().run()]
    assert len(set(at_once)) == 5
    assert [step.loss for step in late(run(), monkeypatch).run()] == [at_once[0], *at_once[:-1]]


@pytest.mark.parametrize("bad", [1, 3])
def test_a_late_loss_names_its_step(bad: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that diverged is named, not the one that found it."""
    run = late(trainer(6), monkeypatch)
    find = run._loss

    def losing(denoised: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        return find(denoised, clean) * (torch.inf if run.step + 1 == bad else 1)

    run._loss = losing
    with pytest.raises(FloatingPointError, match=f"at step {bad}$"):
        list(run.run())


def test_batches_depend_on_seed_and_step_alone() -> None:
    """A batch can be drawn again, in any order, by any process."""
    one, other = Patches(draw, 2, seed=1), Patches(draw, 2, seed=1)
    assert torch.equal(one[7][0], other[7][0])
    assert not torch.equal(one[7][0], one[8][0])
    assert not torch.equal(one[7][0], Patches(draw, 2, seed=2)[7][0])


def test_orthogonalise() -> None:
    """Newton-Schulz brings all singular values near one, for wide and tall matrices."""
    for shape in ((16, 40), (40, 16)):
        matrix = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
        values = torch.linalg.svdvals(orthogonalise(matrix).float())
        assert float(values.min()) > 0.5 and float(values.max()) < 1.4


def test_stacks_are_orthogonalised_one_by_one() -> None:
    """What a GPU does to all weights of a shape together equals what is done to each."""
    stack = torch.randn(3, 16, 40, generator=torch.Generator().manual_seed(0))
    stack[1] *= 100
    together = orthogonalise(stack, dtype=torch.float32)
    alone = torch.stack([orthogonalise(matrix, dtype=torch.float32) for matrix in stack])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_weights_that_are_updated_together_change_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps of Muon give the same whichever weights are stacked."""

    def trained() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        shapes = [(4, 3, 3, 3), (6, 4, 3, 3), (4, 3, 3, 3)]
        weights = [torch.nn.Parameter(torch.randn(s, generator=generator)) for s in shapes]
        optimiser = Muon(weights, lr=0.1, decay=0.1, dtype=torch.float32)
        for _ in range(3):
            for weight in weights:
                weight.grad = torch.randn(weight.shape, generator=generator)
            optimiser.step()
        return [weight.detach() for weight in weights]

    alone = trained()
    monkeypatch.setattr(muon, "_alike", lambda weights: [[0, 2], [1]])
    for one, other in zip(trained(), alone, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_balance_brings_back_units_that_have_gone_too_far() -> None:
    """Only units beyond the limit change, only along their mean input, a quarter of the way."""
    torch.manual_seed(0)
    model = UNet(widths=(8, 12), down=(1,), bottom=1, up=(1,))
    balance = Balance(model, 0.5)
    balance.look(0)
    model(1 + torch.rand(2, 3, 16, 16))
    before = [block.conv1.weight.detach().clone() for block in blocks(model)]
    balance.step(lambda values: values)
    for old, block, followed in zip(before, blocks(model), balance.means, strict=True):
        source, mean, square = torch.split(followed, [old.size(1), old.size(0), old.size(0)])
        beyond = (mean.abs() - 0.5 * (square - mean**2).sqrt()).clamp_min(0) * mean.sign()
        assert beyond.any()
        change = (block.conv1.weight.detach() - old).sum((2, 3))
        torch.testing.assert_close(change @ source, -0.25 * beyond, atol=1e-5, rtol=1e-4)
        other = torch.randn_like(source)
        other -= source * (other @ source) / (source @ source)
        torch.testing.assert_close(change @ other, torch.zeros_like(mean), atol=1e-5, rtol=0)


def test_balance_looks_at_some_training_steps_alone() -> None:
    """Validation images and the steps between two looks change nothing."""
    model = UNet(widths=(8, 12), down=(1,), bottom=1, up=(1,))
    balance = Balance(model, 0.0)
    before = [block.conv1.weight.detach().clone() for block in blocks(model)]
    for number, training in ((0, False), (1, True), (7, True)):
        model.train(training)
        balance.look(number)
        model(torch.rand(1, 3, 16, 16))
        balance.step(lambda values: values)
    after = [block.conv1.weight for block in blocks(model)]
    assert not balance.means and all(map(torch.equal, before, after))


def blocks(model: UNet) -> list[ResidualBlock]:
    """The residual blocks in the order that balance has them."""
    return [part for part in model.modules() if isinstance(part, ResidualBlock)]


def test_muon_leaves_frozen_weights() -> None:
    """A weight without a gradient is not touched."""
    weight = torch.nn.Parameter(torch.ones(4, 3, 3, 3))
    Muon([weight]).step()
    assert torch.equal(weight, torch.ones(4, 3, 3, 3))


def test_muon_decay_shrinks_weights() -> None:
    """Without a gradient to follow a weight loses lr * decay of itself at each step."""
    weight = torch.nn.Parameter(torch.full((4, 3, 3, 3), 2.0))
    weight.grad = torch.zeros_like(weight)
    optimiser = Muon([weight], lr=0.5, decay=0.1)
    for _ in range(2):
        optimiser.step()
    torch.testing.assert_close(weight.detach(), torch.full((4, 3, 3, 3), 2.0 * 0.95**2))


def test_pack_round_trip(tmp_path: Path) -> None:
    """Images come back from a pack; a file that is none is refused."""
    import cv2

    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    blob = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    assert save_pack([blob, blob], tmp_path / "pack.npz") == 2
    images = load_pack(tmp_path / "pack.npz")
    assert len(images) == 2 and np.array_equal(images[1], image)
    patch = random_patch(images, np.array([0.5, 0.5]), 16, np.random.default_rng(0))
    assert patch.shape == (16, 16, 3) and patch.min() >= 0 and patch.max() <= 1
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="bad.npz"):
        load_pack(tmp_path / "bad.npz")


def test_enlarged_patches_are_smooth() -> None:
    """Neighbours in enlarged patches of white noise are alike; size and range stay."""
    images = [np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)]
    rng = np.random.default_rng(1)
    for _ in range(20):
        patch = enlarged_patch(images, np.ones(1, np.float32), 96, rng)
        assert patch.shape == (96, 96, 3) and patch.dtype == np.float32
        assert patch.min() >= 0 and patch.max() <= 1
        assert np.corrcoef(patch[:, 1:].ravel(), patch[:, :-1].ravel())[0, 1] > 0.25


def test_without_means_brightness_changes_nothing() -> None:
    """Trained so, the network removes the same from an image and a brighter one, edges apart."""
    of = trainer(4, zero_mean=True)
    list(of.run())
    noisy = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 2
    with torch.inference_mode():
        one, other = of.model.residual(noisy), of.model.residual(noisy + 0.4)
    inner = (..., slice(24, 40), slice(24, 40))
    assert torch.allclose(one[inner], other[inner], atol=1e-5) and one[inner].std() > 1e-4
