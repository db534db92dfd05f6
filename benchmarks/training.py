"""Training's megapixels a second beside those of the forward pass, and the wait for data.

    python benchmarks/training.py --seconds 60

`imgclean train` as typed, on made-up pages and scenes, for some seconds; then the forward pass of
the same network on batches of the same size in the same precision.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from imgclean.run_options import Options
from imgclean.runs import Run
from imgclean.train import Step


def main() -> None:
    """Train, pass forward, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        given = Options(max_time=options.seconds, samples=0, device=options.device)
        run = Run(given, Path(name) / "run")
        steps = [record for record in run if isinstance(record, Step)]
    side, batch = run.source.patch, given.batch_size
    megapixels = batch * side * side / 1e6
    last, first = steps[-1], steps[min(5, len(steps) - 2)]  # the first ones fill the queue
    spent = (last.seconds - first.seconds) / (last.step - first.step)
    waited = (last.waited - first.waited) / (last.seconds - first.seconds)
    model = run.trainer.model.eval()
    images = torch.rand(batch, 3, side, side, device=run.device)
    images = images.contiguous(memory_format=torch.channels_last)
    times = []
    with (
        torch.inference_mode(),
        torch.autocast(run.device.type, torch.bfloat16, enabled=run.config.bf16),
    ):
        for _ in range(options.rounds):
            begun = time.perf_counter()
            float(model(images).sum())  # waits for the device too
            times.append(time.perf_counter() - begun)
    print(f"{run.device}, {'bf16' if run.config.bf16 else 'fp32'}, {batch} patches of {side} px")
    print(f"training {megapixels / spent:.3f} MP/s, waiting for data {100 * waited:.1f} % of it")
    print(f"forward  {megapixels / median(times):.3f} MP/s, "
          f"{spent / median(times):.1f} times as fast")  # fmt: skip


if __name__ == "__main__":
    main()
