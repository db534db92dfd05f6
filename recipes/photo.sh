#!/usr/bin/env bash
# Train photo weights: recipes/photo.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
#
# The shipped weights came in two stages on one CPU core: 25 minutes (4,108 steps) at constant rate
# 0.008, with cameras in 50 % of the samples and shot noise up to 0.025; then 34 minutes from their
# average with the recipe as it is now, at 0.007, constant and then falling linearly from half way.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-60}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
python scripts/train_weights.py photo --pack local/photos.npz --minutes "$minutes" \
    --muon-lr 0.008 --ema 0.999 --out local/photo
python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
