#!/usr/bin/env bash
# Rebuild the photo weights: recipes/photo.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-70}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
python scripts/train_weights.py photo --pack local/photos.npz --minutes "$minutes" \
    --muon-lr 0.01 --ema 0.999 --out local/photo
python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt
