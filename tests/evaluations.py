"""Evaluations to report on, made from the sample images with the shipped weights and OpenCV."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import imgclean
from imgclean.metrics import psnr, ssim
from imgclean.residuals import structure
from imgclean.scores import (
    NOISY,
    STRUCTURE_LIMIT,
    Codes,
    Evaluation,
    Mean,
    Score,
    Suspicion,
)
from imgclean.weights import locate, read_card

SAMPLES = Path(__file__).parent.parent / "sample_data"
COMMAND = "imgclean eval --clean photos --noise gaussian:25,50 --model photo --report"
CREATED = "2026-03-01T14:05:00+01:00"

Pixels = NDArray[np.uint8]
Method = Callable[[Pixels], Pixels]

BASELINES: Mapping[str, Method] = {
    "median": lambda noisy: np.asarray(cv2.medianBlur(noisy, 5), np.uint8),
    "nlm": lambda noisy: np.asarray(
        cv2.fastNlMeansDenoisingColored(noisy, None, 12, 12, 5, 11), np.uint8
    ),
}


def read(name: str) -> Pixels:
    """One sample, H x W x 3 in RGB."""
    pixels = cv2.imread(str(SAMPLES / name), cv2.IMREAD_COLOR)
    assert pixels is not None, name
    return np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def keep(folder: Path, name: str, pixels: Pixels) -> str:
    """Write a picture of the evaluation; its path relative to the folder."""
    path = folder / "pictures" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
    return f"pictures/{name}"


def score(
    folder: Path, image: str, level: str, method: str, *, clean: Pixels, noisy: Pixels, out: Pixels
) -> Score:
    """What an evaluation would note of one result, with its pictures."""
    start = f"{image}-{level.replace(':', '-')}"
    pictures = {
        "noisy": keep(folder, f"{start}-noisy.png", noisy),
        "clean": keep(folder, f"{image}-clean.png", clean),
    }
    figures = {"psnr": psnr(clean=clean, other=out), "ssim": ssim(clean=clean, other=out)}
    if method != NOISY:
        pictures["denoised"] = keep(folder, f"{start}-{method}.png", out)
        figures["gain"] = figures["psnr"] - psnr(clean=clean, other=noisy)
        left = structure(
            noisy=np.asarray(noisy / 255, np.float32), denoised=np.asarray(out / 255, np.float32)
        )
        if left is not None:
            figures |= {"structure": left, "structure_flag": float(left > STRUCTURE_LIMIT)}
    height, width = out.shape[:2]
    return Score(image, level, method, width, height, figures, pictures)


def summary(scores: Sequence[Score]) -> list[Mean]:
    """Means with normal rather than bootstrap intervals, which look the same in a report."""
    inputs = {(s.image, s.level): s.figures for s in scores if s.method == NOISY}
    kinds = dict.fromkeys((s.level, s.method, key) for s in scores for key in s.figures)
    means = []
    for level, method, key in kinds:
        chosen = [s for s in scores if (s.level, s.method) == (level, method) and key in s.figures]
        values = np.array([s.figures[key] for s in chosen])
        half = 1.96 * float(values.std()) / math.sqrt(len(values))
        worse = None
        if key == "psnr":
            worse = sum(s.figures[key] < inputs[s.image, s.level][key] for s in chosen)
        mean = float(values.mean())
        means.append(Mean(level, method, key, mean, mean - half, mean + half, len(chosen), worse))
    return means


def photos(folder: Path, methods: Mapping[str, Method] = BASELINES) -> Evaluation:
    """Two sample photos at two noise levels, and everything else a report can show."""
    scores = []
    for sigma in (25, 50):
        for name in ("day", "night"):
            clean = read(f"clean/photos/{name}.jpg")
            noise = np.random.default_rng(sigma).normal(0, sigma, clean.shape)
            noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
            results = {NOISY: noisy} | {key: run(noisy) for key, run in methods.items()}
            for method, out in results.items():
                image, level = f"photos/{name}.jpg", f"gaussian:{sigma}"
                scores.append(
                    score(folder, image, level, method, clean=clean, noisy=noisy, out=out)
                )
    broken = Score("photos/torn.jpg", "gaussian:25", "median", 0, 0, {}, error="cut short")
    rows = [
        {
            "epoch": f"{k}",
            "loss": f"{0.1 / k:.4f}",
            "val_loss": f"{0.12 / k:.4f}",
            "val_psnr": f"{30 - 6 / k:.3f}",
        }
        for k in range(1, 26)
    ]
    return Evaluation(
        command=COMMAND,
        created=CREATED,
        scores=[*scores, broken],
        means=summary(scores),
        suspicious=[
            Suspicion("photos/night.jpg", "gaussian:50", "median", "psnr", 21.3, -4.6),
            Suspicion("photos/elsewhere.jpg", "gaussian:50", "median", "psnr", 20.1, -5.2),
        ],
        cards={
            "photo": read_card(locate("photo")),
            "median": {"summary": "median of 5 x 5 pixels (OpenCV)"},
        },
        histories={"photo": rows},
    )


def digits(folder: Path) -> Evaluation:
    """Forty drawn digits, with codes in clouds by label."""
    rng = np.random.default_rng(7)
    scores, images, labels, points = [], [], [], []
    for k in range(40):
        label = str(k % 10)
        clean = np.zeros((28, 28, 3), np.uint8)
        cv2.putText(clean, label, (6, 23), 0, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
        noisy = np.clip(clean + rng.normal(0, 40, clean.shape), 0, 255).astype(np.uint8)
        image = f"{k:04d}.png"
        for method, out in {NOISY: noisy, "dense-ae": cv2.GaussianBlur(noisy, (3, 3), 0)}.items():
            result = np.asarray(out, np.uint8)
            scores.append(score(folder, image, "", method, clean=clean, noisy=noisy, out=result))
        angle = 2 * math.pi * int(label) / 10
        spread = rng.normal(0, 0.25, 2)
        points.append((math.cos(angle) + spread[0], math.sin(angle) + spread[1]))
        images.append(image)
        labels.append(label)
    distance = np.linalg.norm(np.array(points)[:, None] - np.array(points)[None], axis=2)
    order = np.argsort(distance, axis=1)[:, 1:7]
    nearest = {image: [images[k] for k in order[n]] for n, image in enumerate(images)}
    codes = Codes("dense-ae", images, points, labels, nearest, explained=0.41)
    return Evaluation("imgclean eval digits", CREATED, scores, summary(scores), codes=[codes])


def samples(folder: Path, models: Sequence[str] = ("photo", "scan")) -> Evaluation:
    """All sample pairs as they are, cleaned by shipped weights and by OpenCV."""
    methods: dict[str, Method] = {name: imgclean.load(name) for name in models}
    methods |= BASELINES
    scores = []
    for path in sorted((SAMPLES / "noisy").rglob("*.*")):
        name = path.relative_to(SAMPLES / "noisy").as_posix()
        clean, noisy = read(f"clean/{name}"), read(f"noisy/{name}")
        results = {NOISY: noisy} | {key: run(noisy) for key, run in methods.items()}
        for method, out in results.items():
            scores.append(score(folder, name, "", method, clean=clean, noisy=noisy, out=out))
    cards: dict[str, Any] = {name: read_card(locate(name)) for name in models}
    cards |= {"median": {"summary": "median of 5 x 5 pixels (OpenCV)"}}
    return Evaluation("imgclean eval --report", CREATED, scores, summary(scores), cards=cards)
