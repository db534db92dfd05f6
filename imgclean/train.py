"""The training loop: schedule by steps or time, checkpoints, exact resume; yields `Step`s."""

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .balance import Balance, remove_means
from .errors import OutputError, UsageError
from .losses import LOSSES
from .models import MODELS, Autoencoder
from .models.gan import GAN
from .models.pca import PCA
from .muon import Muon
from .pairs import prefetch
from .processes import ALONE, Processes

__all__ = ["Step", "TrainConfig", "Trainer", "has_checkpoint", "load_checkpoint"]


_ENDLESS = 1e11  # seconds; from here on time is no bound


@dataclass(frozen=True)
class TrainConfig:
    """Everything a run depends on besides its images.

    Attributes:
        architecture: a name in `MODELS`, built with `config`.
        max_time: seconds of training, over all resumed parts; the rate follows it.
        steps: optimiser updates, if the run is bounded by them too.
        muon_lr: rate of the inner convolutions of a unet; `adam_lr` is that of all
            else; 0 trains all by AdamW.
        muon_decay: weight decay of the inner convolutions, a share of `muon_lr`.
        balance: how many standard deviations the mean of what reaches a rectifier may lie from
            its zero, see `balance.Balance`; 0 for any number.
        zero_mean: keep the kernels of a unet's first convolution free of a mean over each colour,
            see `balance.remove_means`.
        warmup: steps over which the rates rise.
        cooldown: share of the run, at its end, over which the rates fall to zero.
        ema: decay of the averaged weights, which are the ones that ship.
        bf16: run forward and backward under bfloat16 autocast.
        loss: a name in `LOSSES`.
        compile: pass the model through `torch.compile`.
        workers: processes that draw batches, forked.
        threads: threads that draw batches instead (`prefetch`).
    """

    architecture: str = "unet"
    config: dict[str, Any] = field(default_factory=dict)
    max_time: float = 3600.0
    steps: int = 1_000_000
    muon_lr: float = 0.02
    muon_decay: float = 0.0
    balance: float = 0.0
    zero_mean: bool = False
    adam_lr: float = 1e-3
    warmup: int = 150
    cooldown: float = 0.5
    ema: float = 0.998
    seed: int = 0
    device: str = "cpu"
    bf16: bool = True
    workers: int = 0
    loss: str = "l1"
    compile: bool = False
    threads: int = 0


@dataclass(frozen=True)
class Step:
    """One optimiser update, its loss, and the seconds so far (`waited` of them for data).

    On a GPU the loss is that of the update before (the first, which has none, tells its own): to
    read its own would keep the device waiting.
    """

    step: int
    loss: float
    seconds: float
    progress: float
    waited: float = 0.0


class Trainer:
    """One run: model, averaged weights, optimisers, and where they stand."""

    def __init__(
        self,
        config: TrainConfig,
        patches: Dataset[tuple[Tensor, Tensor]],
        *,
        on_device: bool = False,
        processes: Processes = ALONE,
    ) -> None:
        """Build the model from the seed; nothing runs yet.

        Args:
            config: what the run depends on.
            patches: noisy and clean batches by step number.
            on_device: batches are tensors on the device already and need no loader.
            processes: the place of this process among those that train together.

        Raises:
            UsageError: several processes cannot train this model alike.
        """
        torch.manual_seed(config.seed)
        self.config, self.patches, self.on_device = config, patches, on_device
        self.device = torch.device(config.device)
        self.model: Any = MODELS[config.architecture](**config.config).to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]  # stub's gap
        self._remove_means()
        self._average_afresh()
        self.optimisers = _optimisers(self.model, config)
        self.step, self.seconds, self.waited = 0, 0.0, 0.0
        self._norm = torch.zeros((), device=self.device)  # of the gradient, followed
        self._readings = _Readings(self.device)
        self._balance = Balance(self.model, config.balance) if config.balance else None
        self._loss = LOSSES[config.loss]
        self._forward: Callable[..., Any] = self.model
        if config.compile:
            self._forward = torch.compile(self.model)
        self.processes = processes
        self._objective: Callable[..., Any] = _Objective(self)
        if processes.count > 1:
            self._objective = self._shared()

    def _shared(self) -> nn.Module:
        """The objective with gradients averaged over the processes."""
        if isinstance(self.model, GAN | PCA):
            raise UsageError(f"{self.config.architecture}: trains in one process; leave torchrun")
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(_Objective(self), device_ids=devices)

    def _average_afresh(self) -> None:
        """Start the averaged weights from the model's; floats are averaged, counters copied."""
        state = self.model.state_dict()
        self.average = {k: v.detach().clone() for k, v in state.items()}
        floating = [k for k, v in state.items() if v.is_floating_point()]
        self._live = [state[k] for k in floating]
        self._mean = [self.average[k] for k in floating]
        self._counters = [k for k in state if k not in floating]

    def start_from(self, state: dict[str, Tensor]) -> None:
        """Take over weights of the same architecture, as a fresh run's start."""
        self.model.load_state_dict(state)
        self._remove_means()
        self._average_afresh()

    def run(self, checkpoint: Path | None = None, every: float = 300.0) -> Iterator[Step]:
        """Train until time or steps are up, saving a checkpoint every so many seconds."""
        if self.progress >= 1:  # one more step would move the averaged weights
            return
        begun, saved = time.monotonic() - self.seconds, time.monotonic()
        asked = saved
        for noisy, clean in self._batches():
            self.waited += time.monotonic() - asked
            loss = self._update(noisy, clean)
            self.step += 1
            self.seconds = time.monotonic() - begun
            if self.config.max_time < _ENDLESS:
                self.seconds = self.processes.agree(self.seconds)
            yield Step(self.step, loss, self.seconds, self.progress, self.waited)
            if checkpoint and time.monotonic() - saved > every:
                self.save(checkpoint)
                saved = time.monotonic()
            if self.progress >= 1:
                break
            asked = time.monotonic()
        if checkpoint:
            self.save(checkpoint)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        left = range(self.step, self.config.steps)
        if self.on_device:
            return (self.patches[step] for step in left)
        if self.config.threads:
            return prefetch(self.patches, left, self.config.threads)
        loader = DataLoader(
            self.patches,
            batch_size=None,
            sampler=left,
            num_workers=self.config.workers,
            pin_memory=self.device.type == "cuda",
            prefetch_factor=8 if self.config.workers else None,
        )
        return iter(loader)

    @property
    def progress(self) -> float:
        """How much of the run is over, 0 to 1, by steps or by time, whichever is further."""
        return min(1.0, max(self.step / self.config.steps, self.seconds / self.config.max_time))

    def _update(self, noisy: Tensor, clean: Tensor) -> float:
        noisy = noisy.to(self.device, non_blocking=True)
        clean = clean.to(self.device, non_blocking=True)
        self.model.train()
        if isinstance(self.model, PCA):
            self.model.observe(clean)
            return float((self.model(clean) - clean).square().mean())
        self._set_rate()
        if isinstance(self.model, GAN):
            value = self._duel(clean)
        else:
            if self._balance:
                self._balance.look(self.step)
            loss = self._objective(*map(self.processes.share, (noisy, clean)))
            value = self._checked(self.processes.average(loss.detach().clone()))
            self._descend(loss, self.optimisers)
        if self._balance:
            self._balance.step(self.processes.average)
        self._remove_means()
        self._follow()
        return value

    def _remove_means(self) -> None:
        if self.config.zero_mean:
            remove_means(self.model.head.weight, self.model.channels)

    def objective(self, noisy: Tensor, clean: Tensor) -> Tensor:
        """The loss of this process's share of a batch, in the model's own way of learning."""
        watched = self._balance is not None and self._balance.due
        forward = self.model if watched else self._forward  # hooks would have it compiled anew
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            if isinstance(self.model, Autoencoder):
                whole = (self.processes.count * len(noisy), self.model.contract.code or 1)
                codes = torch.randn(whole, generator=self._generator(), device=self.device)
                denoised, penalty = self.model.learn(noisy, self.processes.share(codes))
                return self._loss(denoised.float(), clean) + penalty
            denoised = forward(noisy)
            return self._loss(denoised.float(), clean)

    def _duel(self, real: Tensor) -> float:
        """One update of the discriminator, then one of the generator; the sum of their losses."""
        generator = self._generator()
        size = (len(real), self.model.contract.code)
        losses = []
        for turn, optimiser in enumerate(self.optimisers):
            codes = torch.randn(size, generator=generator, device=self.device)
            if turn == 0:
                loss = self.model.discriminator_loss(real, codes)
            else:
                loss = self.model.generator_loss(codes)
            losses.append(loss.detach())
            self._descend(loss, [optimiser], tame=False)
            self.model.zero_grad(set_to_none=True)
        return self._checked(sum(losses[1:], losses[0]))

    def _generator(self) -> torch.Generator:
        """Random numbers of this step: the same after a resume."""
        generator = torch.Generator(self.device)
        generator.manual_seed((self.config.seed << 32) + self.step)
        return generator

    def _checked(self, loss: Tensor) -> float:
        value = self._readings.read(loss.detach())
        if not abs(value) < float("inf"):
            step = max(1, self.step + 1 - self._readings.late)
            raise FloatingPointError(f"the loss became {value} at step {step}")
        return value

    def _descend(
        self, loss: Tensor, optimisers: list[torch.optim.Optimizer], *, tame: bool = True
    ) -> None:
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        if tame:
            self._tame_spikes()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights towards the model's, faster at first."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self._mean, self._live, 1 - decay)
        if self._counters:
            state = self.model.state_dict()
            for name in self._counters:
                self.average[name].copy_(state[name])

    @torch.no_grad()
    def _tame_spikes(self) -> None:
        """Rescale a gradient that is over four times its running norm."""
        gradients = [w.grad for w in self.model.parameters() if w.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if not self._readings.late and not bool(norm < torch.inf):  # else the next loss tells
            raise FloatingPointError(f"gradient {float(norm)} at step {self.step + 1}")
        begun = self._norm > 0
        limit = torch.where(begun, 4 * self._norm, torch.inf)
        torch._foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp(max=1))
        seen = torch.minimum(norm, limit)
        self._norm = torch.where(begun, 0.98 * self._norm + 0.02 * seen, seen)

    def _set_rate(self) -> None:
        warm = min(1.0, (self.step + 1) / self.config.warmup)
        factor = warm * min(1.0, (1 - self.progress) / self.config.cooldown)
        for optimiser in self.optimisers:
            muon = isinstance(optimiser, Muon)
            for group in optimiser.param_groups:
                group["lr"] = (self.config.muon_lr if muon else self.config.adam_lr) * factor

    def finish(self) -> None:
        """Complete what is fitted rather than trained: the components of PCA."""
        if isinstance(self.model, PCA):
            self.model.fit()
            self._average_afresh()

    def save(self, target: Path, extra: dict[str, Any] | None = None) -> None:
        """Write a checkpoint atomically: a run killed at any moment leaves a good one.

        Args:
            target: the file; the one before it is kept as ``.previous``.
            extra: what a caller wants back from `resume`.

        Raises:
            OutputError: it cannot be written, on a full disk for one; the old one is intact.
            FloatingPointError: the weights are not finite any more; the old one is intact.
        """
        if not all(bool(values.isfinite().all()) for values in self._live):
            raise FloatingPointError(f"weights are not finite at step {self.step}")
        state = {
            "config": asdict(self.config),
            "model": self.model.state_dict(),
            "average": self.average,
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "norm": float(self._norm),
            "waited": self.waited,
            "balance": self._balance.means if self._balance else [],
            "moments": getattr(self.model, "moments", {}),
            "extra": extra or {},
        }
        buffer = io.BytesIO()  # torch hides the reason when it fails to write a file itself
        torch.save(state, buffer)
        _replace(target, buffer.getbuffer())

    def resume(self, source: Path) -> dict[str, Any]:
        """Continue exactly where a checkpoint stopped; returns its `extra`.

        Raises:
            UsageError: the checkpoint was made with other options; they are listed.
        """
        state = load_checkpoint(source, self.device)
        mine = asdict(self.config)
        theirs = {f.name: f.default for f in fields(TrainConfig)} | state["config"]
        # These change the pace, and which noise is drawn, but not from what it is drawn.
        free = {"device", "workers", "threads"}
        changed = sorted(k for k in mine if k not in free and mine[k] != theirs[k])
        if changed:
            raise UsageError(f"{source}: was made with other {', '.join(changed)}; use the same")
        self.model.load_state_dict(state["model"])
        self._average_afresh()
        for name, value in state["average"].items():
            self.average[name].copy_(value)
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        for name, value in state.get("moments", {}).items():
            self.model.moments[name].copy_(value)
        self.step, self.seconds = state["step"], state["seconds"]
        self._norm.fill_(state["norm"])
        self.waited = state.get("waited", 0.0)
        if self._balance:
            self._balance.means = state["balance"]
        return dict(state.get("extra", {}))


def load_checkpoint(source: Path, device: torch.device) -> dict[str, Any]:
    """Read the newest good checkpoint: the file, or the one before it if it is damaged.

    Raises:
        UsageError: neither can be read.
    """
    for path in (source, _previous(source)):
        try:
            return dict(torch.load(path, map_location=device, weights_only=True))
        except (OSError, RuntimeError, EOFError, ValueError, KeyError):
            continue
        except Exception as error:  # torch raises pickle's own errors for cut files
            if type(error).__module__ not in ("_pickle", "pickle", "zipfile"):
                raise
    raise UsageError(f"{source}: no readable checkpoint; start the run anew")


def has_checkpoint(target: Path) -> bool:
    """Whether there is a checkpoint, or the one before it, however damaged."""
    return target.exists() or _previous(target).exists()


def _previous(target: Path) -> Path:
    return target.with_suffix(".previous")


def _replace(target: Path, content: memoryview) -> None:
    """Write a file under another name, flush it to the disk, and rename it."""
    temporary = target.with_suffix(".partial")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            target.replace(_previous(target))
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):  # a disk that is gone, or read-only by now
            temporary.unlink(missing_ok=True)
        old = "; the one before it is intact" if target.exists() else ""
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}){old}; make room and resume"
        ) from error


class _Readings:
    """Values of losses: a CPU's at once, a GPU's one step late, so that it never waits for us."""

    def __init__(self, device: torch.device) -> None:
        self.late = device.type == "cuda"
        self._pending: tuple[Tensor, torch.cuda.Event] | None = None

    def read(self, loss: Tensor) -> float:
        """This value, or on a GPU the one before it; of the first, itself."""
        if not self.late:
            return float(loss)
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        latest = loss.to("cpu", non_blocking=True), event
        event.record()
        value, done = self._pending or latest
        self._pending = latest
        done.synchronize()
        return float(value)


class _Objective(nn.Module):
    """A trainer's objective as a module around its model, as PyTorch's wrappers want it."""

    def __init__(self, trainer: Trainer) -> None:
        super().__init__()
        self.model = trainer.model
        self._compute = trainer.objective

    def forward(self, noisy: Tensor, clean: Tensor) -> Tensor:
        return self._compute(noisy, clean)


def _optimisers(model: Any, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for a unet's inner convolutions, Adam for all else; none for what is fitted."""
    if isinstance(model, PCA):
        return []
    if isinstance(model, GAN):
        halves = (model.discriminator, model.generator)
        return [
            torch.optim.Adam(h.parameters(), config.adam_lr, betas=(0.5, 0.999)) for h in halves
        ]
    if config.architecture != "unet":
        return [torch.optim.Adam(model.parameters(), config.adam_lr, fused=_can_fuse(config))]
    edges = ("head.", "tail.")
    inner = [w for n, w in model.named_parameters() if not n.startswith(edges)]
    outer = [w for n, w in model.named_parameters() if n.startswith(edges)]
    dtype = torch.bfloat16 if config.bf16 else torch.float32  # all processes must agree
    return [
        Muon(inner, lr=config.muon_lr, decay=config.muon_decay, dtype=dtype)
        if config.muon_lr
        else torch.optim.AdamW(inner, lr=config.adam_lr, weight_decay=0.0),
        torch.optim.AdamW(outer, lr=config.adam_lr, weight_decay=0.0),
    ]


def _can_fuse(config: TrainConfig) -> bool:
    return config.device.partition(":")[0] in ("cpu", "cuda")
