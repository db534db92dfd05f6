import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap
from torch.nn import functional

from imgclean.errors import UsageError
from imgclean.models import MODELS, NAMES, Autoencoder, Contract
from imgclean.models.contractive import ContractiveAE, slopes_of
from imgclean.models.conv import ConvAE, Halve, _Double
from imgclean.models.dense import DenseAE
from imgclean.models.fused import NEEDED, FusedBlock, fuse
from imgclean.models.gan import GAN
from imgclean.models.grow import grow
from imgclean.models.pca import PCA
from imgclean.models.unet import UNet
from imgclean.models.vae import VAE, kl_to_normal
from imgclean.weights import load_weights

FIXED = sorted(name for name in MODELS if name != "unet")


def images(count: int, side: int, seed: int = 0) -> Tensor:
    """Smooth images with a few dominant directions and a little noise."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.rand(6, side * side, generator=torch.Generator().manual_seed(99))
    share = torch.rand(count, 6, generator=generator) * torch.tensor([3, 2, 1, 0.5, 0.3, 0.1])
    values = share @ basis / 7 + 0.02 * torch.randn(count, side * side, generator=generator)
    return values.reshape(count, 1, side, side)


@pytest.mark.parametrize("name", FIXED)
def test_a_model_keeps_its_contract(name: str) -> None:
    """Every fixed-size model takes the size it states, gives it back, and is rebuilt equal."""
    model: Any = MODELS[name](channels=3, height=8, width=12, latent_dim=5).eval()
    contract: Contract = model.contract
    assert contract.size == (8, 12) and contract.channels == 3 and contract.code == 5
    again: Any = MODELS[name](**model.config)
    again.load_state_dict(model.state_dict())
    batch = torch.rand(2, 3, 8, 12)
    if contract.cannot_denoise:
        assert "denoising model" in contract.cannot_denoise
    else:
        assert isinstance(model, Autoencoder)
        assert model.encode(batch).shape == (2, 5)
        assert model(batch).shape == batch.shape
        assert torch.equal(again.eval()(batch), model(batch))
    if contract.generates:
        assert model.generate(torch.randn(2, 5)).shape == batch.shape


def test_every_name_builds() -> None:
    """Each name of --model is an architecture and a configuration that builds it."""
    for architecture, config in NAMES.values():
        assert isinstance(MODELS[architecture](**config), nn.Module)


def test_the_tutorials_network_has_its_parameters() -> None:
    """conv-ae has as many parameters as the tutorial's Keras summary, layer by layer."""
    encoder = (
        (3 * 3 * 1 * 32 + 32) + 2 * 32  # convolution 1 -> 32, scale and shift
        + (3 * 3 * 32 * 64 + 64) + 2 * 64
        + (7 * 7 * 64 * 16 + 16)  # dense code of 16
    )  # fmt: skip
    decoder = (
        (16 * 7 * 7 * 64 + 7 * 7 * 64)
        + (3 * 3 * 64 * 64 + 64) + 2 * 64  # transposed convolution 64 -> 64
        + (3 * 3 * 64 * 32 + 32) + 2 * 32
        + (3 * 3 * 32 * 1 + 1)
    )  # fmt: skip
    model = ConvAE()
    assert sum(p.numel() for p in model.encoder.parameters()) == encoder == 69_200
    assert sum(p.numel() for p in model.decoder.parameters()) == decoder == 109_185
    # Keras also counts the running mean and variance of its normalisations: 178,769.
    running = [v for k, v in model.state_dict().items() if "running" in k]
    assert encoder + decoder + sum(v.numel() for v in running) == 178_769


def test_the_tutorials_network_has_its_layers() -> None:
    """conv-ae has the tutorial's layers in the tutorial's order."""
    kinds = [type(layer).__name__ for layer in [*ConvAE().encoder, *ConvAE().decoder]]
    down, up = ["Halve", "LeakyReLU", "BatchNorm2d"], ["_Double", "LeakyReLU", "BatchNorm2d"]
    assert kinds == [
        *down, *down, "Flatten", "Linear",
        "Linear", "Volume", *up, *up, "_Image", "Sigmoid",
    ]  # fmt: skip
    assert ConvAE().encoder[1].negative_slope == 0.2


def test_transposed_convolution_is_the_transpose() -> None:
    """The decoder's step is the adjoint of the encoder's, as Keras pads them."""
    torch.manual_seed(0)
    down, up = Halve(2, 3).double(), _Double(3, 2).double()
    up.weight.data = down.weight.data
    down.bias = up.bias = None
    image, code = torch.rand(1, 2, 6, 8).double(), torch.rand(1, 3, 3, 4).double()
    with torch.no_grad():
        raised = up(code.flip(2, 3)).flip(2, 3)
        forth, back = float((down(image) * code).sum()), float((image * raised).sum())
    assert forth == pytest.approx(back)


def test_the_decoder_turns_its_image_back() -> None:
    """Working upside down, the decoder draws what the layers draw the right way up."""
    torch.manual_seed(0)
    model = ConvAE(latent_dim=3).eval()
    parts: list[Any] = list(model.decoder)
    linear, volume, *layers, last, squash = parts
    codes = torch.randn(2, 3)
    with torch.no_grad():
        maps = linear(codes).unflatten(1, volume.unflattened_size)
        for layer in layers:
            if isinstance(layer, _Double):
                whole = functional.conv_transpose2d(maps, layer.weight, layer.bias, stride=2)
                maps = whole[..., :-1, :-1]
            else:
                maps = layer(maps)
        image = squash(functional.conv_transpose2d(maps, last.weight, last.bias, padding=1))
        assert torch.allclose(model.decode(codes), image, atol=1e-6)


def test_the_contractive_penalty_is_exact() -> None:
    """The penalty equals the squared norm of the Jacobian that autograd finds."""
    torch.manual_seed(0)
    model = ContractiveAE(height=6, width=5, hidden=(20, 12), latent_dim=4).double()
    batch = torch.rand(7, 1, 6, 5).double()
    jacobians = vmap(jacrev(lambda image: model.encode(image[None])[0]))(batch)
    expected = jacobians.square().flatten(1).sum(1)
    assert torch.allclose(slopes_of(model, batch).sum(1), expected)
    _, penalty = model.learn(batch)
    variance = model.encode(batch).var(0, correction=0)
    share = jacobians.square().flatten(2).sum(2).mean(0) / variance
    assert float(penalty.detach()) == pytest.approx(1e-4 * float(share.detach().sum()), rel=1e-3)
    torch.autograd.backward(penalty)
    assert model.encoder[0].weight.grad is not None


def test_a_smaller_code_is_no_contraction() -> None:
    """A code scaled down, and a decoder scaled up, have the penalty that they had."""
    torch.manual_seed(0)
    model = ContractiveAE(height=6, width=5, hidden=(20, 12), latent_dim=4)
    batch = torch.rand(7, 1, 6, 5)
    images, penalty = model.learn(batch)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if name.startswith("encoder.4"):  # its last layer
                values.div_(8)
        model.get_parameter("decoder.0.weight").mul_(8)
    same, scaled = model.learn(batch)
    assert torch.allclose(same, images, atol=1e-5)
    assert float(scaled.detach()) == pytest.approx(float(penalty.detach()), rel=0.01)


def test_kl_divergence() -> None:
    """The closed form agrees with PyTorch's, and is zero for the standard normal."""
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    standard = torch.distributions.Normal(torch.zeros(5, 3), torch.ones(5, 3))
    expected = torch.distributions.kl_divergence(normal, standard).sum(1)
    assert torch.allclose(kl_to_normal(mean, log_variance), expected, atol=1e-5)
    assert float(kl_to_normal(torch.zeros(1, 3), torch.zeros(1, 3))) == 0


def test_vae_draws_its_code_in_training_alone() -> None:
    """The reparameterised code varies with the noise passed in; cleaning does not vary."""
    model = VAE(height=8, width=8, latent_dim=3).eval()
    batch = torch.rand(4, 1, 8, 8)
    one, penalty = model.learn(batch, torch.ones(4, 3))
    other, _ = model.learn(batch, -torch.ones(4, 3))
    assert not torch.equal(one, other) and float(penalty.detach()) >= 0
    assert torch.equal(model.learn(batch)[0], model(batch))


def test_pca_is_exact_in_batches() -> None:
    """Fitted batch by batch, components and error are those of a decomposition of everything."""
    data = images(300, 8)
    model = PCA(height=8, width=8, latent_dim=4)
    for start in range(0, 300, 70):
        model.observe(data[start : start + 70])
    model.fit()
    centred = data.flatten(1) - data.flatten(1).mean(0)
    values, rows = torch.linalg.svd(centred.double(), full_matrices=False)[1:]
    assert torch.allclose((model.components.double() @ rows[:4].T).abs(), torch.eye(4).double(),
                          atol=1e-4)  # fmt: skip
    error = float((model(data) - data).square().mean())
    assert error == pytest.approx(float(values[4:].square().sum()) / data.numel(), rel=1e-3)
    assert model.error == pytest.approx(error, rel=1e-3)


def test_a_linear_autoencoder_approaches_pca() -> None:
    """Trained, a dense autoencoder without rectifiers comes near PCA's error, never below it."""
    data = images(512, 6)
    pca = PCA(height=6, width=6, latent_dim=3)
    pca.observe(data)
    pca.fit()
    bound = float((pca(data) - data).square().mean())
    torch.manual_seed(0)
    model = DenseAE(height=6, width=6, hidden=(), latent_dim=3, linear=True)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def error() -> Tensor:
        optimiser.zero_grad()
        loss: Tensor = (model(data) - data).square().mean()
        torch.autograd.backward(loss)
        return loss.detach()

    optimiser.step(error)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert bound <= float(error()) < 1.02 * bound


def test_gan_losses_move_their_own_network() -> None:
    """The discriminator's loss leaves the generator alone; the generator's reaches it."""
    model = GAN(height=8, width=8, latent_dim=4)
    codes = torch.randn(6, 4)
    torch.autograd.backward(model.discriminator_loss(torch.rand(6, 1, 8, 8), codes))
    assert all(p.grad is None for p in model.generator.parameters())
    loss = model.generator_loss(codes)
    assert float(loss.detach()) == pytest.approx(math.log(2), abs=0.1)
    torch.autograd.backward(loss)
    assert all(p.grad is not None for p in model.generator.parameters())


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("dense-ae", {"latent_dim": 785}, "784 values"),
        ("conv-ae", {"latent_dim": 0}, "1 to 784"),
        ("conv-ae", {"height": 30}, "multiple of 4"),
        ("vae", {"filters": []}, "--filters"),
        ("pca", {"channels": 3, "height": 64, "width": 64}, "smaller --patch"),
    ],
)
def test_impossible_models_are_refused(name: str, config: dict[str, Any], words: str) -> None:
    """A code larger than the image and sizes that do not fit are errors that say what does."""
    with pytest.raises(UsageError, match=words):
        MODELS[name](**config)


@pytest.mark.parametrize("size", [(1, 8, 8), (2, 24, 40), (1, 96, 64)])
def test_fused_blocks_compute_what_plain_ones_do(size: tuple[int, int, int]) -> None:
    """In fp32 the fused network equals the plain one to rounding, whatever the size."""
    torch.manual_seed(0)
    plain = UNet(widths=(16, 24, 32), centre=0.5).eval()
    fused = fuse(copy.deepcopy(plain))
    images = torch.rand(size[0], 3, *size[1:])
    with torch.inference_mode():
        torch.testing.assert_close(fused(images), plain(images), atol=1e-5, rtol=0)
    if all(hasattr(torch.ops.mkldnn, name) for name in NEEDED):
        assert any(isinstance(part, FusedBlock) for part in fused.modules())


def test_without_the_operators_the_network_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch that lacks oneDNN's operators runs the plain blocks."""
    monkeypatch.setattr("imgclean.models.fused.NEEDED", ("no_such_operator",))
    network = fuse(UNet(widths=(16, 24, 32)).eval())
    assert not any(isinstance(part, FusedBlock) for part in network.modules())


SMALL: dict[str, Any] = {"widths": [8, 12], "down": [1], "bottom": 3, "up": [1]}


@pytest.mark.parametrize("ink", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"widths": [16, 20], "down": [2], "bottom": 5, "up": [3]},
        {"widths": [8, 12, 16], "down": [1, 2], "bottom": 1, "up": [1, 1]},
        {"widths": [10, 12, 16], "down": [2, 3], "bottom": 0, "up": [1, 2]},
    ],
)
def test_a_grown_network_is_the_same_function(change: dict[str, Any], ink: bool) -> None:
    """It gives the small one's result, and every weight that is new can learn."""
    small = UNet(**SMALL, ink=ink)
    with torch.no_grad():
        for weight in small.parameters():
            weight.normal_(0, 0.1)
    large = grow(small.state_dict(), small.config, {**SMALL, **change, "ink": ink})
    batch = torch.rand(2, 3, 32, 40)
    assert large(batch).shape == batch.shape
    torch.testing.assert_close(large(batch), small(batch), rtol=1e-5, atol=1e-6)
    step = torch.optim.SGD(large.parameters(), 0.1)
    before = {name: weight.clone() for name, weight in large.named_parameters()}
    for _ in range(3):  # behind a zero nothing moves at first
        step.zero_grad()
        (large(batch) - 0.5).square().sum().backward()
        step.step()
    assert all(not torch.equal(weight, before[name]) for name, weight in large.named_parameters())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"widths": [8, 10]}, "cannot hold"),
        ({"bottom": 2}, "has no bottom"),
        ({"widths": [8, 12, 16, 20], "down": [1, 2, 1], "up": [1, 1, 1]}, "one level"),
        ({"widths": [8, 12, 16], "down": [1, 1], "up": [1, 1]}, "has no encoder"),
    ],
)
def test_a_network_cannot_grow_smaller(change: dict[str, Any], problem: str) -> None:
    """What the large one has no room for is an error."""
    with pytest.raises(ValueError, match=problem):
        grow(UNet(**SMALL).state_dict(), UNet(**SMALL).config, {**SMALL, **change})


def cost(network: nn.Module, side: int = 64) -> float:
    """Multiply-accumulates a pixel of all convolutions, for a colour image."""
    total = 0

    def count(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        largest = max(inputs[0][0, 0].numel(), output[0, 0].numel())
        kernel = module.weight[0, 0].numel() if module.stride == (1, 1) else 1
        total += largest * kernel * module.in_channels * module.out_channels

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(count)
    network(torch.zeros(1, 3, side, side))
    return total / side**2


@pytest.mark.parametrize(
    ("name", "limit"), [("photo", 60), ("photo-best", 250), ("gaussian", 60), ("scan", 60)]
)
def test_shipped_weights_stay_cheap(name: str, limit: int) -> None:
    """What cleaning a pixel costs is part of what the weights promise, in thousands."""
    assert 30 < cost(UNet(**load_weights(name).config)) / 1000 <= limit
