#!/usr/bin/env bash
# Train photo weights: recipes/photo.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
#
# The shipped weights took 48 minutes on one CPU core: 8,570 steps at rate 0.01, constant and then
# falling linearly from half way.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-48}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
python scripts/train_weights.py photo --pack local/photos.npz --minutes "$minutes" \
    --muon-lr 0.01 --ema 0.999 --seed 3 --out local/photo
python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
