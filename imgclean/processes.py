"""Training in several processes, one a device, as `torchrun` starts them.

Every process draws the whole batch and takes its share; PyTorch's DistributedDataParallel
averages the gradients, so the result is that of one process to rounding. The first process
alone writes and validates.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy  # noqa: F401, ICN001  # first: torch, importing it, would swallow a Ctrl-C
import torch
from torch import Tensor, distributed

from .devices import resolve_device
from .errors import ImgcleanError, UsageError

__all__ = ["ALONE", "Processes", "join"]


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this one writes and validates."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch, equal in size to every other's.

        Raises:
            UsageError: it cannot be divided equally.
        """
        self.check(len(batch))
        return batch[self.rank :: self.count]

    def check(self, batch_size: int) -> None:
        """Find out before training that batches can be shared.

        Raises:
            UsageError: they cannot be divided equally.
        """
        if batch_size % self.count:
            raise UsageError(
                f"--batch-size {batch_size}: {self.count} processes share it equally, so give a "
                f"multiple of {self.count}"
            )

    def agree(self, value: Any) -> Any:
        """What the first process says, in all of them."""
        if self.count == 1:
            return value
        said = [value]
        distributed.broadcast_object_list(said, src=0)
        return said[0]

    def first_does(self, action: Callable[[], Any]) -> Any:
        """Act in the first process alone; all get its result, or raise its error.

        That holds for errors of the user's and for numbers that overflow. Otherwise the others
        would wait for a process that has ended.
        """
        if self.count == 1:
            return action()
        done: tuple[Any, Exception | None] = None, None
        if self.first:
            try:
                done = action(), None
            except (ImgcleanError, FloatingPointError) as error:
                done = None, error
        result, failure = self.agree(done)
        if failure:
            raise failure
        return result

    def any(self, here: bool, device: torch.device) -> bool:
        """Whether it is so in any of the processes."""
        if self.count == 1:
            return here
        return bool(self.average(torch.tensor([float(here)], device=device)) > 0)

    def average(self, values: Tensor) -> Tensor:
        """The mean over the processes, in all of them; `values` may be overwritten."""
        if self.count > 1:
            distributed.all_reduce(values)
            values /= self.count
        return values

    def leave(self) -> None:
        """Part from the others, at the end."""
        if self.count > 1:
            distributed.destroy_process_group()


ALONE = Processes()


def join(device: str) -> tuple[Processes, str]:
    """Join the processes that `torchrun` started, if it did; gives the device of this one.

    Args:
        device: what `--device` says; `auto` and any card become one for each process.

    Raises:
        UsageError: the device is not there, or there are fewer cards than processes.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return ALONE, device
    device = _own(device)
    if not distributed.is_initialized():
        if device.startswith("cuda"):
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    return Processes(distributed.get_rank(), count), device


def _own(device: str) -> str:
    """The device of this process among those on its machine."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device != "auto" and not device.startswith("cuda"):
        return device
    if not cards:
        return "cpu" if device == "auto" else str(resolve_device(device))
    number = int(os.environ["LOCAL_RANK"])
    here = int(os.environ.get("LOCAL_WORLD_SIZE", number + 1))
    if here > cards:  # NCCL gives no card to two processes
        raise UsageError(
            f"--device {device}: {here} processes, and {cards} CUDA devices, of which each needs "
            "its own; start fewer with --nproc-per-node, or use --device cpu"
        )
    return f"cuda:{number}"
