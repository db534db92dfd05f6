"""Muon: momentum whose matrix updates are orthogonalised (Jordan et al., 2024).

`torch.optim.Muon` takes two-dimensional weights alone; this one flattens convolution
kernels to outputs x (inputs * height * width) first.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonalise"]


def orthogonalise(matrix: Tensor, steps: int = 5, dtype: torch.dtype = torch.bfloat16) -> Tensor:
    """Push the singular values of an m x n matrix, or of a stack of them, towards one.

    A quintic Newton-Schulz iteration with the coefficients of Jordan et al. (2024), in
    `dtype`; singular values end between about 0.7 and 1.2.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.to(dtype)
    transposed = wide.size(-2) > wide.size(-1)
    if transposed:
        wide = wide.mT
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = wide @ wide.mT
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    result: Tensor = wide.mT if transposed else wide
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
            weights = [weight for weight in group["params"] if weight.grad is not None]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight]["momentum"] = torch.zeros_like(weight)
            if not weights:
                continue
            gradients = [weight.grad for weight in weights]
            running = [self.state[weight]["momentum"] for weight in weights]
            torch._foreach_lerp_(running, gradients, 1 - group["momentum"])
            ahead = torch._foreach_lerp(gradients, running, group["momentum"])
            torch._foreach_mul_(weights, 1 - group["lr"] * group["decay"])
            for alike in _alike(weights):
                flat = torch.stack([ahead[place].flatten(1) for place in alike])
                update = orthogonalise(flat if len(alike) > 1 else flat[0], dtype=self.dtype)
                scale = max(1.0, flat.size(1) / flat.size(2)) ** 0.5
                updates = update.to(flat.dtype).reshape(-1, *weights[alike[0]].shape)
                targets = [weights[place] for place in alike]
                torch._foreach_add_(targets, updates.unbind(0), alpha=-group["lr"] * scale)


def _alike(weights: list[Tensor]) -> list[list[int]]:
    """Places of weights to orthogonalise together: those of one shape on a GPU, else each alone.

    A GPU takes as long for one small matrix as for ten; a CPU works through a stack one by one.
    """
    places: dict[object, list[int]] = {}
    for place, weight in enumerate(weights):
        key = (tuple(weight.shape), weight.device) if weight.is_cuda else place
        places.setdefault(key, []).append(place)
    return list(places.values())
