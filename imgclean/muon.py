"""Muon: momentum whose matrix updates are orthogonalised (Jordan et al., 2024).

`torch.optim.Muon` takes two-dimensional weights alone; this one flattens convolution
kernels to outputs x (inputs * height * width) first.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonalise"]


def orthogonalise(matrix: Tensor, steps: int = 5, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Push the singular values of an m x n matrix towards one.

    A quintic Newton-Schulz iteration with the coefficients of Jordan et al. (2024), in
    `dtype`; singular values end between about 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.to(dtype)
    transposed = wide.size(0) > wide.size(1)
    if transposed:
        wide = wide.T
    wide = wide / (wide.norm() + 1e-7)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    result: Tensor = wide.T if transposed else wide
    return result


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; for weights of two or more dimensions.

    Args:
        params: weights whose first dimension is the output.
        lr: step size; an update has a root mean square of about lr / sqrt(columns).
        momentum: decay of the running gradient.
        decay: share of a weight taken away at each step, times lr.
        dtype: what to orthogonalise in; bfloat16 is exact enough where the device computes in it.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        decay: float = 0.0,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        """Set up one momentum buffer a weight."""
        self.dtype = dtype
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

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
                flat = nesterov.reshape(weight.size(0), -1)
                update = (
                    orthogonalise(flat, dtype=self.dtype).to(weight.dtype).reshape(weight.shape)
                )
                scale = max(1.0, flat.size(0) / flat.size(1)) ** 0.5
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.add_(update, alpha=-group["lr"] * scale)
