"""What is compared: networks, the choice between them, and classical baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .baselines import BASELINES, choose_baselines
from .choose import choose
from .errors import UsageError
from .metrics import estimate_sigma
from .pixels import unit
from .restore import Denoiser, load
from .scores import NOISY

__all__ = ["Auto", "Classical", "Method", "Network", "choose_methods", "eight_bits"]

Pixels = NDArray[Any]


class Method(Protocol):
    """Cleans one image.

    Attributes:
        name: unique in an evaluation.
        key: changes when its results may.
        card: what is known about it; `summary` at least.
        folder: where a training run left it and its history; None if none did.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 -- described above
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def card(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def folder(self) -> Path | None: ...  # noqa: D102

    def __call__(self, noisy: Pixels) -> Pixels:
        """Give H x W x C pixels of the same type."""

    def code(self, noisy: Pixels) -> list[float] | None:
        """Give the code of an image, None if the method or image has none."""


@dataclass(frozen=True, eq=False)
class Network:
    """Weights, whatever their architecture."""

    name: str
    denoiser: Denoiser
    precision: str = "auto"

    @property
    def key(self) -> str:
        """Weights, device and precision."""
        return f"{self.denoiser.weights.digest}:{self.denoiser.device.type}:{self.precision}"

    @property
    def card(self) -> Mapping[str, Any]:
        """The card beside the weights; where there is none, the architecture."""
        weights = self.denoiser.weights
        return weights.card or {"summary": f"{weights.architecture}, no card"}

    @property
    def folder(self) -> Path | None:
        """The folder of the weights, if a training run made it."""
        folder = self.denoiser.weights.path.parent
        return folder if (folder / "history.csv").is_file() else None

    def __call__(self, noisy: Pixels) -> Pixels:
        """Clean one image."""
        return self.denoiser(noisy)

    def code(self, noisy: Pixels) -> list[float] | None:
        """The code, of images that have the model's own size."""
        return self.denoiser.code(unit(noisy))


@dataclass(frozen=True, eq=False)
class Auto:
    """The shipped weights, chosen for each image as `imgclean denoise` does."""

    networks: Mapping[str, Network]
    name: str = "auto"
    folder: Path | None = None

    @property
    def key(self) -> str:
        """Those of both networks."""
        return "+".join(network.key for network in self.networks.values())

    @property
    def card(self) -> Mapping[str, Any]:
        """What is chosen between."""
        return {
            "summary": "photo or scan, chosen for each image as imgclean denoise does; without its "
            "safety gate",
            "chooses_between": {name: dict(n.card) for name, n in self.networks.items()},
        }

    def __call__(self, noisy: Pixels) -> Pixels:
        """Clean one image with the weights that suit it."""
        return self.networks[choose(noisy).name](noisy)

    def code(self, noisy: Pixels) -> list[float] | None:
        """None: the shipped networks have no code."""
        return None


@dataclass(frozen=True)
class Classical:
    """A baseline."""

    name: str
    folder: Path | None = None

    @property
    def key(self) -> str:
        """Its name, and the versions of what may change it."""
        return f"{self.name}:{version('imgclean')}:{version('opencv-python')}"

    @property
    def card(self) -> Mapping[str, Any]:
        """What it is and how strong."""
        return {"summary": BASELINES[self.name].summary}

    def __call__(self, noisy: Pixels) -> Pixels:
        """Clean one image at the strength of the noise that is estimated in its 8-bit version."""
        return BASELINES[self.name].clean(unit(noisy), estimate_sigma(eight_bits(noisy)))

    def code(self, noisy: Pixels) -> list[float] | None:
        """None: it has no code."""
        return None


def eight_bits(pixels: Pixels) -> Pixels:
    """Clip and round float pixels to 8 bits; integers stay as they are."""
    if pixels.dtype.kind != "f":
        return pixels
    return np.clip(pixels * 255 + 0.5, 0, 255).astype(np.uint8)


def choose_methods(
    models: Sequence[str], baselines: str, *, device: str = "auto", precision: str = "auto"
) -> list[Method]:
    """Load what `--model` and `--baseline` name.

    Raises:
        UsageError: a name is given twice or does not exist.
        WeightsError: weights are missing or damaged.
        DependencyError: a baseline's package is missing.
    """
    classical = choose_baselines(baselines)
    loaded: dict[str, Network] = {}

    def network(model: str, name: str) -> Network:
        if model not in loaded:
            loaded[model] = Network(
                name, load(model, device=device, precision=precision), precision
            )
        return loaded[model]

    methods: list[Method] = []
    for model in dict.fromkeys(models):
        if model == "auto":
            methods.append(Auto({name: network(name, name) for name in ("photo", "scan")}))
        else:
            methods.append(network(model, _name(model, models)))
    methods += [Classical(name) for name in classical]
    names = [NOISY, *(method.name for method in methods)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(
            f"--model {twice[0]}: two methods have this name; give it once, or rename a file"
        )
    return methods


def _name(model: str, models: Sequence[str]) -> str:
    """The file's stem, of a training run its folder; with its folders where names are alike."""
    own = _parts(model)
    others = [_parts(other) for other in {*models, "photo", "scan"} - {model}]
    for count in range(1, len(own)):
        name = own[-count:]
        if all(other[-count:] != name for other in others):
            return "/".join(name)
    return "/".join(own[-1:])


def _parts(model: str) -> tuple[str, ...]:
    """What a model may be called by: folders and its stem, or the name of weights that ship."""
    if Path(model).name == model and not Path(model).suffix:
        return (model,)
    path = Path(model).parent.resolve() / Path(model).name  # a link keeps its own name
    if path.name == "weights.safetensors":  # as training leaves them
        return path.parent.parts
    return (*path.parent.parts, path.stem)
