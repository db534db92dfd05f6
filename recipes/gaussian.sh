#!/usr/bin/env bash
# Train gaussian weights: recipes/gaussian.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
#
# The shipped weights had 76 minutes of one CPU core that did other work too.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-76}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
python scripts/train_weights.py gaussian --pack local/photos.npz --minutes "$minutes" --zero-mean \
    --muon-lr 0.02 --muon-decay 0.1 --ema 0.998 --seed 21 --out local/gaussian
python scripts/export_weights.py gaussian --checkpoint local/gaussian/checkpoint.pt
