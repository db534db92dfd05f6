"""The training loop: wall-clock schedule, checkpoints, exact resume; yields `Step` records."""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from .errors import UsageError
from .models import MODELS
from .muon import Muon
from .pairs import Patches

__all__ = ["Step", "TrainConfig", "Trainer"]


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides its images.

    Attributes:
        architecture: a name in `MODELS`, built with `config`.
        max_time: seconds of training, over all resumed parts; the rate follows it.
        steps: optimiser updates, if the run is bounded by them too.
        muon_lr: rate of the inner convolutions; `adam_lr` is that of head and tail.
            0 trains all by AdamW.
        muon_means: share of a step along kernel means that is kept, see `muon.damp_means`.
        ema: decay of the averaged weights, which are the ones that ship.
        bf16: run forward and backward under bfloat16 autocast.
    """

    architecture: str = "unet"
    config: dict[str, Any] = field(default_factory=dict)
    max_time: float = 3600.0
    steps: int = 1_000_000
    muon_lr: float = 0.02
    muon_means: float = 1.0
    adam_lr: float = 1e-3
    warmup: int = 150
    ema: float = 0.998
    seed: int = 0
    device: str = "cpu"
    bf16: bool = True
    workers: int = 0


@dataclass(frozen=True)
class Step:
    """One optimiser update: the loss is the mean absolute error in [0, 1] units."""

    step: int
    loss: float
    seconds: float
    progress: float


class Trainer:
    """One run: model, averaged weights, optimisers, and where they stand."""

    def __init__(self, config: TrainConfig, patches: Patches) -> None:
        """Build the model from the seed; nothing runs yet."""
        torch.manual_seed(config.seed)
        self.config, self.patches = config, patches
        self.device = torch.device(config.device)
        self.model = MODELS[config.architecture](**config.config).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stub's gap
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimisers = _optimisers(self.model, config)
        self.step, self.seconds, self.norm = 0, 0.0, 0.0

    def start_from(self, state: dict[str, Tensor]) -> None:
        """Take over weights of the same architecture, as a fresh run's start."""
        self.model.load_state_dict(state)
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def run(self, checkpoint: Path | None = None, every: float = 300.0) -> Iterator[Step]:
        """Train until time or steps are up, saving a checkpoint every so many seconds."""
        loader = DataLoader(
            self.patches,
            batch_size=None,
            sampler=range(self.step, self.config.steps),
            num_workers=self.config.workers,
            pin_memory=self.device.type == "cuda",
            prefetch_factor=8 if self.config.workers else None,
        )
        begun, saved = time.monotonic() - self.seconds, time.monotonic()
        for noisy, clean in loader:
            loss = self._update(noisy, clean)
            self.step += 1
            self.seconds = time.monotonic() - begun
            yield Step(self.step, loss, self.seconds, self.progress)
            if checkpoint and time.monotonic() - saved > every:
                self.save(checkpoint)
                saved = time.monotonic()
            if self.progress >= 1:
                break
        if checkpoint:
            self.save(checkpoint)

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 to 1, by steps or by time, whichever is further."""
        return min(1.0, max(self.step / self.config.steps, self.seconds / self.config.max_time))

    def _update(self, noisy: Tensor, clean: Tensor) -> float:
        noisy = noisy.to(self.device, non_blocking=True)
        clean = clean.to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            loss = functional.l1_loss(self.model(noisy), clean)
        value = float(loss.detach())
        if not value < float("inf"):
            raise FloatingPointError(f"the loss became {value} at step {self.step}")
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._tame_spikes()
        self._set_rate()
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        with torch.no_grad():
            decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
            for name, weight in self.model.state_dict().items():
                self.average[name].lerp_(weight, 1 - decay)
        return value

    def _tame_spikes(self) -> None:
        """Rescale a gradient that is over four times its running norm."""
        limit = 4 * self.norm if self.norm else float("inf")
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        seen = min(norm, limit)
        self.norm = 0.98 * self.norm + 0.02 * seen if self.norm else seen

    def _set_rate(self) -> None:
        warm = min(1.0, (self.step + 1) / self.config.warmup)
        factor = warm * min(1.0, 2 * (1 - self.progress))
        rates = (self.config.muon_lr, self.config.adam_lr)
        for optimiser, rate in zip(self.optimisers, rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = (rate or self.config.adam_lr) * factor

    def save(self, target: Path) -> None:
        """Write a checkpoint atomically: a run killed at any moment leaves a good one."""
        state = {
            "config": asdict(self.config),
            "model": self.model.state_dict(),
            "average": self.average,
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "norm": self.norm,
        }
        temporary = target.with_suffix(".partial")
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)

    def resume(self, source: Path) -> None:
        """Continue exactly where a checkpoint stopped.

        Raises:
            UsageError: the checkpoint was made with other options; they are listed.
        """
        state = torch.load(source, map_location=self.device, weights_only=True)
        mine, theirs = asdict(self.config), state["config"]
        free = {"device", "workers"}  # they change the pace, not the run
        changed = sorted(k for k in mine if k not in free and mine[k] != theirs[k])
        if changed:
            raise UsageError(f"{source}: was made with other {', '.join(changed)}; use the same")
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.step, self.seconds, self.norm = state["step"], state["seconds"], state["norm"]


def _optimisers(model: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for the inner convolutions, AdamW for the first and the last one."""
    edges = ("head.", "tail.")
    inner = [w for n, w in model.named_parameters() if not n.startswith(edges)]
    outer = [w for n, w in model.named_parameters() if n.startswith(edges)]
    return [
        Muon(inner, lr=config.muon_lr, means=config.muon_means)
        if config.muon_lr
        else torch.optim.AdamW(inner, lr=config.adam_lr, weight_decay=0.0),
        torch.optim.AdamW(outer, lr=config.adam_lr, weight_decay=0.0),
    ]
