r"""Turn a checkpoint of `train_weights.py` into the weights file that ships, with its card.

    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
    python benchmarks/quality.py --model photo --json local/photo.json
    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt \\
        --figures local/photo.json

The second export puts the figures into the card; the weights stay byte for byte the same. With
`--grey` the network for grey images comes from that checkpoint; of both networks what is not
given stays as in weights/NAME.safetensors. What a card says in words (data, recipe, what the
weights are bad at, how they compare) is kept in weights/NAME.json and edited there.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from train_weights import ARCHITECTURES

from imgclean.models import UNet
from imgclean.weights import load_weights, save

ROOT = Path(__file__).resolve().parents[1]
_MADE_HERE = ("name", "architecture", "config", "parameters", "sha256")  # by `weights.save`


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


def _read(checkpoint: Path | None) -> dict[str, Any]:
    """A checkpoint of `train_weights.py`; empty where none is given."""
    if checkpoint is None:
        return {}
    return dict(torch.load(checkpoint, weights_only=True, map_location="cpu"))


def main() -> None:
    """Read the checkpoint and write weights and card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(ARCHITECTURES))
    parser.add_argument("--checkpoint", type=Path, help="of the network for colours")
    parser.add_argument("--grey", type=Path, help="checkpoint of the one for grey images")
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--steps-before", type=int, default=0, help="of the run it began from")
    parser.add_argument("--mean-with", type=Path, help="weights file it began from: between both")
    parser.add_argument("--share", type=float, default=0.5, help="of the checkpoint in that mean")
    options = parser.parse_args()
    before = load_weights(str(ROOT / "weights" / f"{options.name}.safetensors"))
    built, state, grey = before.config, before.state, before.grey
    colours, one = _read(options.checkpoint), _read(options.grey)
    if colours and options.mean_with:  # Wortsman et al., 2022: between both ends of a fine-tuning
        start = load_weights(str(options.mean_with)).state
        colours["average"] = {
            key: options.share * part + (1 - options.share) * start[key]
            for key, part in colours["average"].items()
        }
    card = json.loads((ROOT / "weights" / f"{options.name}.json").read_text(encoding="utf-8"))
    every = json.loads(options.figures.read_text()) if options.figures else []
    figures = [figure for figure in every if figure["method"] == options.name]
    if every and not figures:
        parser.error(f"{options.figures} has no figures of {options.name}")
    if colours:
        built, state = UNet(**colours["config"]["config"]).config, colours["average"]
        card |= {
            "steps": colours["step"] + options.steps_before,
            "training_seconds": round(colours["seconds"]),
        }
    if one:
        grey = one["average"]
        card |= {"grey_steps": one["step"], "grey_training_seconds": round(one["seconds"])}
    options.out.mkdir(exist_ok=True)
    save(
        options.out / f"{options.name}.safetensors",
        architecture="unet",
        config=built,
        state=state,
        grey=grey,
        card={
            **{key: value for key, value in card.items() if key not in _MADE_HERE},
            "headline": headline(figures),
            "validation": {**card["validation"], "figures": figures},
        },
    )
    for what, run in (("colours", colours), ("grey", one)):
        if run:
            print(f"{options.name}, {what}: {run['step']} steps, {run['seconds'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
