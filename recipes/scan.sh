#!/usr/bin/env bash
# Rebuild the scan weights: recipes/scan.sh DATA [MINUTES], from the checkout's top.
# DATA holds documents/noisyoffice and photos/imagenet. Needs fonts: the more of Debian's
# fonts-* packages are installed, the more scripts and styles the pages have.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-60}
[ -f local/scan.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 600 --out local/scan.npz
python scripts/train_weights.py scan --pack local/scan.npz --minutes "$minutes" \
    --muon-lr 0.008 --muon-means 0.1 --ema 0.999 --patch 192 --batch 8 --seed 1 --out local/scan
python scripts/export_weights.py scan --checkpoint local/scan/checkpoint.pt
