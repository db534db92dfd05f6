r"""Turn a checkpoint of `train_weights.py` into the weights file that ships, with its card.

    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
    python benchmarks/quality.py --model photo --json local/photo.json
    python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt \\
        --figures local/photo.json

The second export puts the figures into the card; the weights stay byte for byte the same. What a
card says in words (data, recipe, what the weights are bad at, how they compare) is kept in
weights/NAME.json and edited there.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from train_weights import ARCHITECTURES

from imgclean.models import MODELS
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


def main() -> None:
    """Read the checkpoint and write weights and card."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(ARCHITECTURES))
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--steps-before", type=int, default=0, help="of the run it began from")
    parser.add_argument("--mean-with", type=Path, help="weights file it began from: between both")
    parser.add_argument("--share", type=float, default=0.5, help="of the checkpoint in that mean")
    parser.add_argument("--small-print", type=Path, help="checkpoint of the network for it")
    options = parser.parse_args()
    state = torch.load(options.checkpoint, weights_only=True, map_location="cpu")
    if options.mean_with:  # Wortsman et al., 2022: between both ends of a fine-tuning
        start = load_weights(str(options.mean_with)).state
        state["average"] = {
            key: options.share * part + (1 - options.share) * start[key]
            for key, part in state["average"].items()
        }
    card = json.loads((ROOT / "weights" / f"{options.name}.json").read_text(encoding="utf-8"))
    every = json.loads(options.figures.read_text()) if options.figures else []
    figures = [figure for figure in every if figure["method"] == options.name]
    if every and not figures:
        parser.error(f"{options.figures} has no figures of {options.name}")
    config, small = state["config"], None
    if options.small_print:
        small = torch.load(options.small_print, weights_only=True, map_location="cpu")
    model = MODELS[config["architecture"]](**config["config"])
    options.out.mkdir(exist_ok=True)
    save(
        options.out / f"{options.name}.safetensors",
        architecture=config["architecture"],
        config=model.config,  # type: ignore[arg-type]  # attributes of modules are untyped
        state=state["average"],
        small_print=small and small["average"],
        card={
            **{key: value for key, value in card.items() if key not in _MADE_HERE},
            "steps": state["step"] + options.steps_before,
            "training_seconds": round(state["seconds"]),
            "headline": headline(figures),
            "validation": {**card["validation"], "figures": figures},
        },
    )
    print(f"{options.name}: {state['step']} steps, {state['seconds'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
