"""Fit the convolutional network of `imgclean.choose` into imgclean/choose.safetensors.

    python scripts/fit_choose_network.py --data DATA --minutes 75 --cache local/seen
    python scripts/fit_choose_network.py --data DATA --minutes 14 --units 20 --cache local/u20 --add
    python scripts/fit_choose_network.py --data DATA --minutes 32 --units 20 --cache local/u20f \
        --add --further
    python scripts/fit_choose_network.py --data DATA --minutes 33 --units 20 --cache local/u20w \
        --add --further --share 0.3 --mix 0.7
    python scripts/fit_choose.py --data DATA --check 8    # how both do together

The images are those of `fit_choose.py`, and as many again of other pages; what the network sees of
them is kept in arrays and shifted, mirrored, turned, made grey, tinted, darkened, noisy and
partly hidden each time. Half of a batch are pages. The rate falls with the time that is over; what
is written are the averaged weights, with the normalisations folded into the convolutions, in half
precision. With --add the network that is there is trained further, at a fifth of the rate and
without those other pages. The measures are kept beside the views, for `fit_choose.py --cache`.

What ships was fitted in 75 minutes, then in 14 (of a core that did other work too) with coloured
print of offices and posters, `--units 20 --add`, then in 40 with these, and in 32, 14, 34 and 18
with `--further` too, which held 1,680, 2,140, 3,910 and 4,310 images by then. Then in 18 and 15
(some 900 steps of a busy core) as in the fourth line, on 5,019 and 5,380: of it seven tenths, as
with all of it maps and flocks were taken for pages more often. At last, from all of it on, in 40
and 24 (some 2,000 steps) on these and 640 of the kinds of `choose_more.py`, twice: seven tenths.
What ships went on from there in 40, 40 and 14 with `--units 20 --add --further`, all of the way.
"""

import argparse
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from choose_set import Case, cases, further, some
from fit_choose import seen, taken
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from imgclean import choose
from imgclean.muon import Muon
from imgclean.page_measures import MEASURES
from imgclean.page_network import CROP, WHOLE

Views = tuple[NDArray[np.uint8], NDArray[np.uint8]]
Looks = tuple[*Views, NDArray[np.float64]]
_BATCH, _SHIFT = 48, 16  # images; pixels
_MUON, _ADAM = 0.01, 2e-3
_AGAIN = 200_000_000  # first seed of the images that other pages are in
_OFFICE = 0.4  # how often pages of NoisyOffice are drawn: few texts many times over


class PageNetwork(nn.Module):
    """`imgclean.page_network` as it is trained.

    Args:
        norms: whether each convolution is followed by batch normalisation (Ioffe and Szegedy,
            2015); what ships has them folded into the convolutions.
    """

    def __init__(self, norms: bool = False) -> None:
        """Build the layers."""
        super().__init__()
        self.whole, self.crop = _branch(3, WHOLE, norms), _branch(1, CROP, norms)
        self.dropout = nn.Dropout(0.3)
        self.hidden = nn.Linear(2 * WHOLE[-1][0] + 4 * CROP[-1][0], 64)
        self.last = nn.Linear(64, 1)

    def forward(self, whole: Tensor, crops: Tensor) -> Tensor:
        """Logits, N: positive for pages.

        Args:
            whole: N x 3 x H x W in [0, 1].
            crops: N x K x H x W in [0, 1].
        """
        image = _pooled(self.whole((whole - 0.5) * 4))
        parts = _pooled(self.crop((crops.flatten(0, 1)[:, None] - 0.5) * 4))
        parts = parts.reshape(*crops.shape[:2], -1)
        looks = torch.cat([image, parts.mean(1), parts.amax(1)], 1).float()
        hidden = functional.relu(self.hidden(self.dropout(looks)))
        logits: Tensor = self.last(self.dropout(hidden))[:, 0]
        return logits


def _branch(channels: int, layers: tuple[tuple[int, int], ...], norms: bool) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for width, stride in layers:
        convolution = nn.Conv2d(channels, width, 3, stride, 1, bias=not norms)
        norm = [nn.BatchNorm2d(width)] if norms else []
        blocks.append(nn.Sequential(convolution, *norm, nn.ReLU()))
        channels = width
    return nn.Sequential(*blocks)


def _pooled(maps: Tensor) -> Tensor:
    """N x C x H x W as mean and maximum over the places, N x 2C."""
    return torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)


def looks(case: Case) -> Looks:
    """What the network sees of a case, in 8 bits, and the measures."""
    found = seen(case)
    whole, crops = (np.rint(255 * v).astype(np.uint8) for v in (found.whole, found.crops))
    return whole, crops, found.measures


def all_views(every: Sequence[Case], root: Path, cache: Path) -> Views:
    """Those of all cases, N x 240 x 240 x 3 and N x 4 x 128 x 128, from files or into them."""
    parts = {
        "whole": ((240, 240, 3), np.uint8),
        "crops": ((4, 128, 128), np.uint8),
        "measures": ((len(MEASURES),), np.float64),
    }
    names = [cache.with_name(f"{cache.name}-{part}.npy") for part in parts]
    if not all(name.exists() for name in names):
        arrays = [
            np.lib.format.open_memmap(name, "w+", kind, (len(every), *shape))
            for name, (shape, kind) in zip(names, parts.values(), strict=True)
        ]
        for index, found in enumerate(taken(every, root, looks)):
            for array, look in zip(arrays, found, strict=True):
                array[index] = look
    whole, crops = (np.load(name, mmap_mode="r") for name in names[:2])
    if not len(whole) == len(crops) == len(every):
        raise SystemExit(f"{cache}: views of other images; remove these files")
    return whole, crops


def augmented(whole: Tensor, crops: Tensor) -> tuple[Tensor, Tensor]:
    """A batch of 8 bits, N x 240 x 240 x 3 and N x 4 x 128 x 128, changed, in [0, 1]."""
    count, size = len(whole), whole.shape[1] - _SHIFT
    light = whole.permute(0, 3, 1, 2).float() / 255
    images = torch.stack([_moved(image, size) for image in light])
    parts = _moved(crops[:, torch.randperm(crops.shape[1])].float() / 255, crops.shape[2] - _SHIFT)

    def some(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1) < share).float()

    def drawn(channels: int = 1) -> Tensor:
        return torch.rand(count, channels, 1, 1)

    grey = some(0.2)
    weights = torch.tensor([0.3, 0.59, 0.11])[:, None, None]
    images = torch.lerp(images, (images * weights).sum(1, keepdim=True).expand_as(images), grey)
    tint = 1 + 0.2 * (drawn(3) - 0.5) * some(0.4) * (1 - grey)
    power, gain = torch.exp(0.8 * (drawn() - 0.5) * some(0.5)), 1 - 0.4 * drawn() * some(0.4)
    noise = 0.06 * drawn() * some(0.3)
    images = images.clamp(1e-3, 1) ** power * gain * tint
    images = images + noise * torch.randn_like(images)
    parts = parts.clamp(1e-3, 1) ** power * gain
    parts = parts + 1.5 * noise * torch.randn_like(parts)
    for image in images:
        if torch.rand(1) < 0.2:
            high, wide = torch.randint(20, 110, (2,)).tolist()
            top, left = torch.randint(0, size - 20, (2,)).tolist()
            image[:, top : top + high, left : left + wide] = torch.rand(1)
    return images.clamp(0, 1), parts.clamp(0, 1)


def _moved(planes: Tensor, size: int) -> Tensor:
    """A square of that size out of the last two dimensions, mirrored and turned at times."""
    top, left = torch.randint(0, _SHIFT + 1, (2,)).tolist()
    planes = planes[..., top : top + size, left : left + size]
    if torch.rand(1) < 0.5:
        planes = planes.flip(-1)
    if torch.rand(1) < 0.3:
        planes = planes.flip(-2)
    return planes.mT if torch.rand(1) < 0.2 else planes


def fit(
    every: Sequence[Case], arrays: Views, minutes: float, start: PageNetwork | None = None
) -> PageNetwork:
    """Train on all cases, or train a network further; the averaged weights."""
    rng = np.random.default_rng(5)
    torch.manual_seed(5)
    sides, odds = [], []
    for page in (True, False):
        side = [i for i, case in enumerate(every) if case.scan == page]
        weights = np.array([_OFFICE if every[i].kind.startswith("office ") else 1.0 for i in side])
        sides.append(np.array(side))
        odds.append(weights / weights.sum())
    network = start or PageNetwork(norms=True)
    slower = 0.2 if start else 1.0
    kernels = [p for p in network.parameters() if p.ndim == 4]
    others = [p for p in network.parameters() if p.ndim != 4]
    optimisers = [Muon(kernels, _MUON), torch.optim.AdamW(others, _ADAM, weight_decay=0.05)]
    mean = deepcopy(network)
    aim = 0.96 * torch.arange(2).flip(0).repeat_interleave(_BATCH // 2) + 0.02
    begun, step, shown = time.monotonic(), 0, 0.0
    while (over := (time.monotonic() - begun) / (60 * minutes)) < 1:
        for optimiser, rate in zip(optimisers, (_MUON, _ADAM), strict=True):
            optimiser.param_groups[0]["lr"] = slower * rate * min(1, step / 100) * (1 - over)
        chosen = [rng.choice(s, _BATCH // 2, p=p) for s, p in zip(sides, odds, strict=True)]
        rows = np.concatenate(chosen)
        batch = [torch.from_numpy(np.stack([array[row] for row in rows])) for array in arrays]
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(*augmented(*batch))
        loss = functional.binary_cross_entropy_with_logits(logits.float(), aim)
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for optimiser in optimisers:
            optimiser.step()
        _average(mean, network, min(0.998, (step + 1) / (step + 10)))
        step += 1
        shown += (loss.item() - shown) / min(step, 50)
        if step % 100 == 0:
            print(f"{step} steps, {100 * over:.0f} % of the time, loss {shown:.4f}", flush=True)
    return mean.eval()


@torch.no_grad()
def _average(mean: nn.Module, network: nn.Module, share: float) -> None:
    for kept, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - share)


def folded(network: PageNetwork) -> PageNetwork:
    """The same function without normalisations."""
    plain = PageNetwork().eval()
    for name in ("whole", "crop"):
        blocks = zip(getattr(plain, name), getattr(network, name), strict=True)
        for block, (convolution, norm, _) in blocks:
            block[0] = fuse_conv_bn_eval(convolution, norm)
    plain.hidden, plain.last = network.hidden, network.last
    return plain


def main() -> None:
    """Make views, fit, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, documents/")
    parser.add_argument("--units", type=int, default=100, help="images of a kind of weight one")
    parser.add_argument("--minutes", type=float, default=75, help="time to train")
    parser.add_argument("--cache", type=Path, required=True, help="keep 7 GB of views there")
    parser.add_argument("--add", action="store_true", help="go on from the network there is")
    parser.add_argument("--further", action="store_true", help="on more drawn images too")
    parser.add_argument("--share", type=float, default=1, help="of the images but the latest kinds")
    parser.add_argument("--mix", type=float, default=1, help="of the way from what --add began as")
    options = parser.parse_args()
    every = [case for case in cases(options.data, options.units) if not case.held_out]
    if options.further:
        every += further()
    every = some(every, options.share)
    if options.add:
        there = PageNetwork()
        there.load_state_dict({k: torch.from_numpy(v) for k, v in choose.load()[1].items()})
        seen = all_views(every, options.data, options.cache)
        plain = fit(every, seen, options.minutes, there)
    else:
        every += [
            replace(case, pages=1000 + case.seed // 150 % 20 * 150)
            for case in cases(options.data, options.units, _AGAIN)
            if not case.held_out
        ]
        seen = all_views(every, options.data, options.cache)
        plain = folded(fit(every, seen, options.minutes))
    tensors = load_file(choose.NETWORK)
    for name, value in plain.state_dict().items():
        new, old = value.detach().numpy(), tensors[choose.PREFIX + name].astype(np.float32)
        way = options.mix if options.add else 1.0  # Wortsman et al., 2022
        tensors[choose.PREFIX + name] = (old + way * (new - old)).astype(np.float16)
    save_file(tensors, choose.NETWORK)


if __name__ == "__main__":
    main()
