"""The tutorial's experiment here and in Keras, in turns: seconds an epoch and their ratio.

    python3 -m venv keras && keras/bin/pip install tensorflow-cpu
    python benchmarks/tutorial.py --data ../shared/data/mnist --keras keras/bin/python --epochs 2

Each program trains the same autoencoder on the 60,000 digits and validates on the 10,000 after
every epoch, on the same cores. An epoch is the difference between a run of some more epochs and a
run of one, so that starting up does not count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

NOISE = "gaussian:sigma=0.5,mean=0.5"


def ours(data: Path, epochs: int) -> float:
    """Seconds that `imgclean train` takes."""
    with tempfile.TemporaryDirectory() as name:
        words = ["--model", "conv-ae", "--data", f"mnist:{data}", "--noise", NOISE]
        words += ["--epochs", str(epochs), "--samples", "0", "--out", str(Path(name) / "run")]
        return timed([sys.executable, "-m", "imgclean", "train", *words])


def keras(python: Path, data: Path, epochs: int) -> float:
    """Seconds that the Keras program takes."""
    program = Path(__file__).with_name("tutorial_keras.py")
    return timed([str(python), str(program), str(data), str(epochs)])


def timed(command: list[str]) -> float:
    """Seconds of wall time of a command."""
    begun = time.perf_counter()
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, check=True, capture_output=True, env=quiet)
    return time.perf_counter() - begun


def main() -> None:
    """Time both, in turns, and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the idx files")
    parser.add_argument("--keras", type=Path, required=True, help="a Python that has tensorflow")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    programs: dict[str, Callable[[int], float]] = {
        "imgclean": partial(ours, options.data),
        "Keras": partial(keras, options.keras, options.data),
    }
    taken: dict[str, list[float]] = {"imgclean": [], "Keras": []}
    for _ in range(options.rounds):
        for name, run in programs.items():
            longer = run(options.epochs + 1) - run(1)
            taken[name].append(longer / options.epochs)
    for name, seconds in taken.items():
        print(f"{name:9s} {median(seconds):6.1f} s an epoch")
    print(f"Keras takes {median(taken['Keras']) / median(taken['imgclean']):.2f} times as long")


if __name__ == "__main__":
    main()
