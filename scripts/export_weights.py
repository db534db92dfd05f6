r"""Turn a checkpoint of `train_weights.py` into the weights file that ships, with its card.

    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
    python benchmarks/quality.py --model photo --json local/photo.json
    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt \\
        --figures local/photo.json

The second export puts the figures into the card; the weights stay byte for byte the same.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from imgclean.models import MODELS
from imgclean.weights import load_weights, save

BSD = {
    "name": "BSDS500 without its 68 standard test images, 432 photos",
    "licence": "not stated; research use by custom",
}
_PHOTOS = [
    BSD,
    {
        "name": "ImageNet sample, 793 photos shrunk by 0.5 to 0.6",
        "licence": "not stated; research use by custom",
    },
    {"name": "Sun-Hays, 80 photos shrunk by 0.5", "licence": "none claimed"},
    {"name": "CLIC, 7 photos", "licence": "Apache-2.0"},
    {
        "name": "480 screenshots, paintings and pages drawn by imgclean, in part from "
        "the photos above",
        "licence": "as the photos",
    },
]
_RECIPE = (
    "noise.photo, at first: 4 % clean, 58 % white Gaussian noise of sigma 0 to 55, 38 % a camera "
    "(photon and read noise, mosaic, tone curve, smoothing, sharpening, resizing, JPEG); "
    "at last an eighth of the patches drawn screens and paintings, half of these clean; "
    "96 px patches, batch 16, at last 160 px, batch 6, L1, Muon with weight decay and "
    "AdamW, balanced rectifiers, linear decay from half way, EMA"
)
_PHOTO: dict[str, Any] = {
    "summary": "photos: removes Gaussian and real camera noise, blind",
    "data": [
        *_PHOTOS,
        {
            "name": "later 600 of these, a fifth of them photos under mesh, net or cloth; at last "
            "beside the photos of BSDS500 and CLIC alone",
            "licence": "as the photos",
        },
        {
            "name": "then also 400 of the photos, BSDS500 to Sun-Hays, printed by imgclean in dots "
            "and lines",
            "licence": "as the photos",
        },
    ],
    "recipe": (
        _RECIPE + "; then 28,921 steps of the same, 128 px patches, batch 9, and 52,716 with two "
        "fifths and at last a quarter of the photos enlarged 1.2 to 3.5 times, as smooth as the "
        "pixels of large cameras, and with coarser colour noise; in the last 16,867 of these 6 % "
        "of the patches were clean, and a sixth of the Gaussian noise of sigma 0 to 5; then 14,341 "
        "steps on a GPU, 176 px patches, batch 32, and 8,657 of 128 px, batch 9, two fifths of "
        "the photos enlarged and cameras' smoothing sparing edges; then 18,493 with film's and "
        "enlarged photos' grain in a tenth, 46 % instead of 56 % white noise; then 10,749 with "
        "photos in print in a twentieth of the patches; at last 15,036 with cameras whose "
        "demosaicing keeps luma sharp (Malvar's, Hamilton and Adams'), two in five of which do not "
        "smooth it, digital zoom, and noise of drawn spectra: 6 % clean, 40 % white, 8 % grain, "
        "6 % drawn spectra, 40 % cameras"
    ),
    "bad_at": [
        "noise as faint as sigma 1: 13 of 24 Kodak images end further from the truth than they "
        "were",
        "noise that a camera's engine has smoothed along lines, and that of strong digital zoom: "
        "half of it or more stays",
        "noise above sigma 55, which it was not trained on",
        "blotches wider than about 20 pixels",
        "salt and pepper, scratches, missing areas",
    ],
    "against_the_weights_before": (
        "nine cameras of code that shares nothing with the training's "
        "(benchmarks/other_cameras.py): demosaiced as Hamilton and Adams do, sharpened, +0.75 dB, "
        "only smoothed in colour +0.38, night mode +0.70, VNG +0.08, zoom +0.10, halved +0.05, "
        "compressed -0.01, coring -0.07, bilateral -0.12; for that Kodak24 "
        "-0.04 / -0.05 / -0.05 dB and Set12 -0.01 / -0.05 / -0.06 dB at sigma 15 / 25 / 50, PolyU "
        "-0.06, grain of 0.5, 1 and 1.5 pixels +0.11 / +0.03 / -0.09, clean Kodak24 -2.4, clean "
        "drawn screenshots -0.3, paintings -0.5, prints -1.4 (the lowest +3.7), line art -0.7; "
        "Kodak24 with noise of sigma 1, 2, 3 and 5 -0.53 / -0.17 / -0.10 / -0.06 dB, at sigma 1 "
        "thirteen instead of eight images worse"
    ),
    "command": "benchmarks/quality.py --model photo --sets kodak24 set12 polyu clean grain",
    "rebuild": "recipes/photo.sh",
    "pictures": "weights/photo.jpg",
}

_PHOTO_BEST: dict[str, Any] = {
    **_PHOTO,
    "data": _PHOTO["data"][:-1],  # it saw no prints
    "summary": "photos: better than photo on noise, grain and clean images, at a third of its "
    "speed",
    "recipe": (
        _RECIPE + "; from photo's weights on, which it begins as, 64/96/144 channels and "
        "more blocks: 128 px patches, batch 9; then 9,465 steps with a fifth of the photos "
        "enlarged 1.2 to 3.5 times, 6 % of the patches clean, and a sixth of the Gaussian noise "
        "of sigma 0 to 5; then, grown to 64/128/192 channels, 12,883 steps on a GPU, 176 px "
        "patches, batch 32, and 18,505 more whose rate fell from the first on; at last 11,827 of "
        "128 px, batch 9, with film's and enlarged photos' grain in a tenth"
    ),
    "bad_at": [
        "noise as faint as sigma 1: 6 of 24 Kodak images end further from the truth than they were",
        "noise of cameras whose demosaicing keeps luma sharp, of which it leaves more than photo",
        "photos in print: it melts dots of 3.5 pixels and more, which photo leaves",
        *_PHOTO["bad_at"][1:],
    ],
    "against_the_weights_before": (
        "grain of sigma 20 in grey photos, 0.5, 1 and 1.5 pixels wide, +2.9 / +5.0 / +5.5 dB, of "
        "which hardly any was removed from 1 pixel on; for that Kodak24 -0.12 / -0.13 / -0.15 dB "
        "and Set12 -0.24 / -0.19 / -0.19 dB at sigma 15 / 25 / 50; PolyU +0.02, clean Kodak24 as "
        "before, clean drawn screenshots -5.2 dB, paintings -5.2, line art -11 (of 77, 71 and "
        "91); Kodak24 with noise of sigma 1, 2, 3 and 5 -0.35 / -0.27 / -0.21 / -0.14 dB, at "
        "sigma 1 six instead of two images worse"
    ),
    "against_photo": (
        "Kodak24 +0.31 / +0.33 / +0.36 dB and Set12 +0.36 / +0.42 / +0.44 dB at sigma 15 / 25 / "
        "50, PolyU +0.19; grain of sigma 20 in grey photos, 0.5, 1 and 1.5 pixels wide, +0.4 / "
        "+0.7 / +1.1; clean Kodak24 +7.3 dB, clean drawn screenshots, line art and "
        "paintings +20 to +22 dB; photos in print, whose dots it melts, -12 dB; noise of cameras "
        "whose demosaicing keeps luma sharp -0.16 to -0.37 dB (benchmarks/other_cameras.py), and "
        "more where it is strong; 236,000 multiply-accumulates a pixel, 52,000 of photo"
    ),
    "command": "benchmarks/quality.py --model photo-best --sets kodak24 set12 polyu clean grain",
    "rebuild": "recipes/photo-best.sh",
    "pictures": "weights/photo-best.jpg",
}
_GAUSSIAN: dict[str, Any] = {
    **{k: fact for k, fact in _PHOTO_BEST.items() if k != "against_the_weights_before"},
    "summary": "photos: white Gaussian noise alone, as papers measure it; not for cameras' noise",
    "recipe": (
        "from photo's weights on (of 120,807 steps), which it begins as: white Gaussian noise of "
        "sigma 0 to 55 alone, BSDS500 and CLIC, 14,223 steps of 128 px patches, batch 9, and "
        "11,929 of 192 px, batch 4, then on a GPU 19,217 of 176 px, batch 32, and 36,545 more "
        "whose rate fell from the first on; L1, Muon with weight decay and AdamW, linear decay "
        "from half way, EMA"
    ),
    "bad_at": [
        "noise of real cameras, which it leaves: use photo",
        "images that are clean or nearly so: at sigma 1, 18 of 24 Kodak images end further from "
        "the truth than they were",
        "noise above sigma 55, which it was not trained on",
        "salt and pepper, scratches, missing areas",
    ],
    "against_photo": (
        "Kodak24 +0.34 / +0.41 / +0.51 dB and Set12 +0.49 / +0.54 / +0.61 dB at sigma 15 / 25 / "
        "50; PolyU -2.3 dB, so that hardly anything of cameras' noise is removed; clean Kodak24 "
        "-3.0 dB, clean drawn screenshots, line art and paintings -10 to -13"
    ),
    "command": "benchmarks/quality.py --model gaussian --sets kodak24 set12 polyu clean",
    "rebuild": "recipes/gaussian.sh",
    "pictures": "weights/gaussian.jpg",
}
FACTS: dict[str, dict[str, Any]] = {
    "photo": _PHOTO,
    "gaussian": _GAUSSIAN,
    "photo-best": _PHOTO_BEST,
    "scan": {
        "summary": "scanned pages: white paper, every stroke kept",
        "data": [
            {
                "name": "NoisyOffice, 56 pairs of 14 clean pages; 16 pairs of 4 others held out",
                "licence": "not stated",
            },
            {
                "name": "800 pages rendered by imgclean with 3,382 free font files of Debian "
                "(before: 800 others, 700 and 500 in as many, 800 in 2,811, 1,000, 1,000, 1,000 "
                "and 900 others in 2,777, 700 in 3,386, 700 in 2,802, and at first 600 in 308)",
                "licence": "made by this project",
            },
            {
                "name": "as pictures on rendered pages: BSDS500 without its 68 standard test "
                "images, 432 photos, and the ImageNet sample, 793 shrunk photos",
                "licence": "not stated; research use by custom",
            },
            {
                "name": "likewise: Sun-Hays, 80 photos shrunk by 0.5",
                "licence": "none claimed",
            },
            {"name": "likewise: CLIC, 7 photos", "licence": "Apache-2.0"},
        ],
        "recipe": (
            "57 % rendered pages (at first 48), over a quarter of them askew, under damage drawn "
            "by paper.damage, 33 % NoisyOffice pairs, 10 % NoisyOffice's clean text under drawn "
            "damage; real stains of the training pairs on 40 % of what is damaged; 192 px patches, "
            "batch 8, at last 320 px, batch 3, and a photo pasted onto a fifth of the rendered "
            "patches, then 448 px, batch 2, onto a third, with a fifth level that began as zeros; "
            "then on a GPU, batch 8, with 48 instead of 32 channels at the finest level, then "
            "batch 3 with faulty elements of a scanner's line and deeper creases among the damage, "
            "then on a GPU, batch 8, with copies too, 17,288 steps whose rate fell from the "
            "first on, and 21,203 with round crumbs of dirt, sharpening and small marks that stay; "
            "then 2,610 of batch 3 with mostly blank patches, whose weights count 0.65 and the "
            "GPU's 0.35; at last 2,596 of batch 3 with pale stamps and watermarks and 5,708 with "
            "pale fills too, whose weights count 0.4 and those before 0.6; "
            "L1, clipped L1 and at last clipped pinball loss, Muon with weight decay and AdamW, "
            "balanced rectifiers, linear decay from half way, EMA"
        ),
        "bad_at": [
            "hairs stay, weakened",
            "bleed-through as dark as grey print stays, weakened, and readers may take it for text",
            "stain layers of the held-out pages resemble those of the training pages, so the "
            "figure on NoisyOffice is optimistic about stains, not about text",
            "coloured paper becomes white; highlighter may stay",
            "stamps of less than about a third of the paper's depth lose much of theirs on mottled "
            "paper, and fills of less than a quarter become white, not always evenly",
            "specks of more than a pixel stay, a third at 2 pixels across and most at 3",
            "blank paper in deep shade far from ink is taken for a picture and stays dark; an even "
            "stain with a sharp outline may be taken for a printed panel",
        ],
        "against_the_weights_before": (
            "pale stamps of 0.2, 0.3 and 0.45 of the paper's depth keep 12, 48 and 84 % of it on "
            "mottled paper, 5, 25 and 67 before, fills of 0.15 and 0.25 23 and 71 %, 14 and 57 "
            "before; NoisyOffice pages 0.0163 RMSE as before, of their characters 1.20 % wrong, "
            "1.37 before; 108 pages drawn in fonts never seen 0.83 %, before 0.72, six instead of "
            "four worse than uncleaned; 48 pages set by a browser and damaged by other code than "
            "the project's own 6.66 %, before 6.23, medians 1.40 and 1.10, RMSE on old paper 0.056 "
            "(0.057), pale 0.077 (0.080), creased 0.040 (0.039), stained 0.026 (0.025); crumbs of "
            "2 pixels are left at 37 % of their depth, 27 before; photos on a page end 0.013 to "
            "0.014 RMSE from themselves, 0.012 to 0.014 before"
        ),
        "command": "benchmarks/quality.py --model scan --sets pages",
        "rebuild": "recipes/scan.sh",
        "pictures": "weights/scan.jpg",
    },
}


def headline(figures: list[dict[str, Any]]) -> list[str]:
    """A line a figure, as `imgclean models` prints them."""
    lines = []
    for f in figures:
        digits = {"dB": 2, "RMSE": 4}[f["unit"]]
        before = "" if f["before"] is None else f"{f['before']:.{digits}f} -> "
        lines.append(
            f"{f['set']}: {before}{f['after']:.{digits}f} {f['unit']} ({f['images']} images)"
        )
    return lines


def main() -> None:
    """Read the checkpoint and write weights and card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(FACTS))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--steps-before", type=int, default=0, help="of the run it began from")
    parser.add_argument("--mean-with", type=Path, help="weights file it began from: between both")
    parser.add_argument("--share", type=float, default=0.5, help="of the checkpoint in that mean")
    options = parser.parse_args()
    state = torch.load(options.checkpoint, weights_only=True, map_location="cpu")
    if options.mean_with:  # Wortsman et al., 2022: between both ends of a fine-tuning
        start = load_weights(str(options.mean_with)).state
        state["average"] = {
            key: options.share * part + (1 - options.share) * start[key]
            for key, part in state["average"].items()
        }
    facts = dict(FACTS[options.name])
    command = facts.pop("command")
    figures = json.loads(options.figures.read_text()) if options.figures else []
    config = state["config"]
    model = MODELS[config["architecture"]](**config["config"])
    options.out.mkdir(exist_ok=True)
    save(
        options.out / f"{options.name}.safetensors",
        architecture=config["architecture"],
        config=model.config,  # type: ignore[arg-type]  # attributes of modules are untyped
        state=state["average"],
        card={
            **facts,
            "steps": state["step"] + options.steps_before,
            "training_seconds": round(state["seconds"]),
            "headline": headline(figures),
            "validation": {"command": f"python {command}", "figures": figures},
            "licence": "MIT for the weights; see data for what they were trained on",
        },
    )
    print(f"{options.name}: {state['step']} steps, {state['seconds'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
