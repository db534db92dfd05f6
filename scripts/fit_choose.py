"""Fit the perceptrons of `imgclean.choose`, and print how it does on held-out images.

    python scripts/fit_choose.py --data DATA              # writes into imgclean/choose.safetensors
    python scripts/fit_choose.py --data DATA --add        # more members, beside those there
    python scripts/fit_choose.py --data DATA --check 8    # fresh images of the held-out sources

DATA holds photos/, documents/ and validation/; `choose_set.py` says what is made of them. Several
small perceptrons are trained on the standardised measures, each from its own start, with dropout
and noise on the measures; what they say is the mean of their logits. Pages and other images weigh
the same in sum. The convolutional network is fitted by `fit_choose_network.py`.

What ships are 24 members, fitted at once with `--units 20 --members 24 --further` when the kinds of
`choose_shown.py`, `choose_post.py` and `choose_windows.py` were there, the windows thrice.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from choose_images import Sources
from choose_set import Case, cases, further, make, some
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from imgclean import choose
from imgclean.page_measures import MEASURES, Seen, measure

Floats = NDArray[np.float64]
Tensors = NDArray[np.floating[Any]]
_HIDDEN, _STEPS, _BATCH = (96, 48), 6000, 256
_sources: dict[bool, Sources] = {}


def values(case: Case) -> Floats:
    """The measures of one case."""
    return seen(case).measures


def scored(case: Case) -> float:
    """How sure `choose` is that a case is a page, by a closer look where one shows it."""
    cv2.setNumThreads(1)
    return choose.choose(make(case, _sources)).score


def seen(case: Case) -> Seen:
    """What is looked at of one case."""
    cv2.setNumThreads(1)
    return measure(make(case, _sources))


def taken(every: Sequence[Case], root: Path, what: Callable[[Case], Any]) -> Iterator[Any]:
    """`what`, a function of a module's top level, of all cases, in two processes."""
    _sources.update({side: Sources(root, side) for side in (False, True)})
    with ProcessPoolExecutor(2) as pool:
        yield from pool.map(what, every, chunksize=8)


def fit(
    samples: Floats, scan: NDArray[np.bool_], weights: Floats, count: int
) -> dict[str, NDArray[np.float16]]:
    """Train so many perceptrons on standardised samples; the tensors that `choose` reads."""
    inputs, labels = torch.from_numpy(samples).float(), torch.from_numpy(scan).float()
    drawn = torch.from_numpy(weights).float()
    members = []
    for seed in range(count):
        torch.manual_seed(seed)
        model = nn.Sequential(
            *(nn.Linear(inputs.shape[1], _HIDDEN[0]), nn.ReLU(), nn.Dropout(0.3)),
            *(nn.Linear(*_HIDDEN), nn.ReLU(), nn.Dropout(0.3)),
            nn.Linear(_HIDDEN[1], 1),
        )
        optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=0.1)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, _STEPS)
        for _ in range(_STEPS):
            rows = torch.multinomial(drawn, _BATCH, replacement=True)
            seen = inputs[rows] + 0.3 * torch.randn(_BATCH, inputs.shape[1])
            aim = labels[rows] * 0.96 + 0.02
            loss = nn.functional.binary_cross_entropy_with_logits(model(seen)[:, 0], aim)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            schedule.step()
        members.append([p.detach().numpy() for p in model.parameters()])
    names = ("first", "first_bias", "second", "second_bias", "third", "third_bias")
    return {
        name: np.stack([member[i] for member in members]).astype(np.float16)
        for i, name in enumerate(names)
    }


def table(every: Sequence[Case], scores: Floats) -> None:
    """Print, kind by kind, how many are taken for scans."""
    kinds: dict[tuple[bool, str], list[float]] = defaultdict(list)
    for case, score in zip(every, scores, strict=True):
        kinds[case.scan, case.kind].append(float(score))
    print(f"{'right':6} {'kind':18} images   scan  photo  right    score at 2, 50, 98 %")
    total = 0
    for (scan, kind), found in sorted(kinds.items()):
        pages = sum(score >= choose.THRESHOLD for score in found)
        right = pages if scan else len(found) - pages
        total += right
        marks = " ".join(f"{m:.3f}" for m in np.percentile(found, [2, 50, 98]))
        print(f"{'scan' if scan else 'photo':6} {kind:18} {len(found):6} {pages:6} "
              f"{len(found) - pages:6} {100 * right / len(found):5.1f} %  {marks}")  # fmt: skip
    print(f"all: {total} of {len(scores)} right, {100 * total / len(scores):.2f} %")


def main() -> None:
    """Make, measure, fit, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with photos/, documents/")
    parser.add_argument("--units", type=int, default=40, help="images of a kind of weight one")
    parser.add_argument("--check", type=int, metavar="SEED", help="fit nothing, try fresh images")
    parser.add_argument("--add", action="store_true", help="keep the members there are")
    parser.add_argument("--further", action="store_true", help="fit on more drawn images too")
    parser.add_argument("--share", type=float, default=1, help="of the images but the latest kinds")
    parser.add_argument("--members", type=int, default=5, help="perceptrons to fit")
    parser.add_argument(
        "--cache",
        type=Path,
        help="keep the measures there, or take them from it (the network's -measures.npy too)",
    )
    options = parser.parse_args()
    fits = options.check is None
    seed = 10_000_000 * (options.check or 0)
    both = list(cases(options.data, options.units, seed))
    if options.further:
        both += further()
    if fits:
        every = some((case for case in both if not case.held_out), options.share)
        if options.cache and options.cache.exists():
            samples = np.load(options.cache)
            if len(samples) != len(every):
                raise SystemExit(f"{options.cache}: measures of other images; name another file")
        else:
            samples = np.array(list(taken(every, options.data, values)))
            if options.cache:
                np.save(options.cache, samples)
        scan = np.array([case.scan for case in every])
        there: dict[str, Tensors] = load_file(choose.NETWORK)
        old = there if options.add else {}
        tensors = {
            "mean": old.get("mean", samples.mean(axis=0)).astype(np.float32),
            "spread": old.get("spread", samples.std(axis=0) + 1e-3).astype(np.float32),
        }
        unit = np.clip((samples - tensors["mean"]) / tensors["spread"], -4, 4)
        # Office pages are a few texts many times over.
        weights = np.array([0.4 if case.kind.startswith("office ") else 1.0 for case in every])
        pages, others = weights[scan].sum(), weights[~scan].sum()
        weights[scan] *= others / pages
        fitted = fit(unit, scan, weights, options.members)
        assert fitted["first"].shape == (options.members, _HIDDEN[0], len(MEASURES))
        tensors |= {k: np.concatenate([old[k], v]) if old else v for k, v in fitted.items()}
        save_file(there | tensors, choose.NETWORK)
        choose.load.cache_clear()
    kept = [case for case in both if case.held_out]
    table(kept, np.array(list(taken(kept, options.data, scored))))


if __name__ == "__main__":
    main()
