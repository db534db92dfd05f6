"""Faster inference on a CPU: rectifier and sum done inside the convolutions.

Eager PyTorch writes a convolution's result to memory and reads it again for the rectifier and
once more for the sum: nearly half the time of a network of thin layers. oneDNN can do both on the
way out. PyTorch reaches that through the operators which its own compiler emits; they are not
part of its public interface, so `fuse` leaves the network alone where they are missing.
"""

import time
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from .unet import LEAK, ResidualBlock

__all__ = ["NEEDED", "FusedBlock", "fast_bfloat16", "fuse", "trains_faster_in_bfloat16"]

NEEDED = (
    "_convolution_pointwise",
    "_convolution_pointwise_",
    "_reorder_convolution_weight",
    "_is_mkldnn_bf16_supported",
)
_ONES = [1, 1]  # padding, stride and dilation of every convolution in a block


class FusedBlock(nn.Module):
    """A `ResidualBlock` for inference; overwrites its input with its output.

    The sum is taken before rounding to half precision, so the result is the closer one.
    """

    def __init__(self, block: ResidualBlock, operators: Any) -> None:
        """Take over the weights of a block that is where and in the type it will stay."""
        super().__init__()
        self._operators = operators
        self._first, self._second = (
            operators._reorder_convolution_weight(conv.weight.detach(), _ONES, _ONES, _ONES, 1)
            for conv in (block.conv1, block.conv2)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map N x width x H x W, channels last, to the same shape."""
        hidden = self._operators._convolution_pointwise(
            features, self._first, None, _ONES, _ONES, _ONES, 1, "leaky_relu", [LEAK], ""
        )
        output: Tensor = self._operators._convolution_pointwise_.binary(
            features, hidden, self._second, None, _ONES, _ONES, _ONES, 1, "add", 1.0, None, [], None
        )
        return output


def fuse(network: nn.Module) -> nn.Module:
    """Replace the residual blocks of a network on the CPU; returns the network.

    In half precision that needs a processor that computes in it; on others, as on other devices
    and under a PyTorch without these operators, nothing is replaced.
    """
    weight = next(network.parameters(), None)
    operators = _operators()
    if weight is None or weight.device.type != "cpu" or operators is None:
        return network
    half = weight.dtype == torch.bfloat16 and fast_bfloat16(weight.device)
    if weight.dtype != torch.float32 and not half:
        return network
    for stack in network.modules():
        for name, child in list(stack.named_children()):
            if isinstance(child, ResidualBlock):
                stack.add_module(name, FusedBlock(child, operators))
    return network


def fast_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16; processors that only emulate it are far slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    fast = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    return device.type == "cpu" and bool(fast())


@lru_cache
def trains_faster_in_bfloat16(device: torch.device) -> bool:
    """Whether convolutions and their gradients take less time in bfloat16 than in fp32.

    Measured once on a CPU that has the instructions: some work through them at half the pace.
    """
    if device.type != "cpu" or not fast_bfloat16(device):
        return fast_bfloat16(device)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so that the processor time of this thread is all it takes
    try:
        return _seconds(torch.bfloat16) < 0.9 * _seconds(torch.float32)
    finally:
        torch.set_num_threads(threads)


def _seconds(dtype: torch.dtype) -> float:
    """The best processor time of five for a convolution and its gradients, like the unets'."""
    layer = nn.Conv2d(64, 64, 3, padding=1, bias=False)
    image = torch.zeros(4, 64, 48, 48).to(memory_format=torch.channels_last).requires_grad_()
    times = []
    for _ in range(5):
        begun = time.thread_time()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            result = layer(image)
        torch.autograd.grad(result, [image, layer.weight], torch.ones_like(result))
        times.append(time.thread_time() - begun)
    return min(times)


def _operators() -> Any:
    """OneDNN's operators, or None where this build of PyTorch lacks one of them."""
    operators = torch.ops.mkldnn
    present = all(hasattr(operators, name) for name in NEEDED)
    return operators if present else None
