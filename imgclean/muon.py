"""Muon: momentum whose matrix updates are orthogonalised (Jordan et al., 2024).

`torch.optim.Muon` takes two-dimensional weights alone; this one flattens convolution
kernels to outputs x (inputs * height * width) first.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonalise"]


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Push the singular values of an m x n matrix towards one.

    A quintic Newton-Schulz iteration with the coefficients of Jordan et al. (2024), in
    bfloat16; singular values end between about 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.bfloat16()
    transposed = wide.size(0) > wide.size(1)
    if transposed:
        wide = wide.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    result: Tensor = wide.T if transposed else wide
    return result


def damp_means(kernels: Tensor, share: float) -> Tensor:
    """Scale the mean of every 3x3 kernel of a convolution to `share` of what it was.

    Features without biases have large means, so a step along kernel means moves a unit's whole
    input range at once; orthogonalised steps, which never shrink, walk units out of the range
    where their rectifier bends and leave the network linear. Applied before and after the
    orthogonalisation this is Muon on the kernels written as ``k + (share - 1) * mean(k)``.
    """
    if kernels.ndim != 4 or kernels.shape[2:] != (3, 3):
        return kernels
    return kernels - (1 - share) * kernels.mean((2, 3), keepdim=True)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; for weights of two or more dimensions.

    Args:
        params: weights whose first dimension is the output.
        lr: step size; an update has a root mean square of about lr / sqrt(columns).
        momentum: decay of the running gradient.
        means: how far kernel means are stepped, see `damp_means`; 1 is plain Muon.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        means: float = 1.0,
    ) -> None:
        """Set up one momentum buffer a weight."""
        super().__init__(params, {"lr": lr, "momentum": momentum, "means": means})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # closures are not used
        """Update every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                running = state["momentum"]
                running.lerp_(weight.grad, 1 - group["momentum"])
                nesterov = weight.grad.lerp(running, group["momentum"])
                flat = damp_means(nesterov, group["means"]).reshape(weight.size(0), -1)
                update = orthogonalise(flat).to(weight.dtype).reshape(weight.shape)
                scale = max(1.0, flat.size(0) / flat.size(1)) ** 0.5
                weight.add_(damp_means(update, group["means"]), alpha=-group["lr"] * scale)
