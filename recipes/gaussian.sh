#!/usr/bin/env bash
# Train gaussian weights: recipes/gaussian.sh DATA, from the checkout's top.
# DATA holds photos/{bsd432,clic}. Interrupted, it continues.
#
# The network of the photo weights, which it begins as (those of the shipped file were of before
# recipes/photo.sh's seventh part), with white noise of sigma 0 to 55 alone. The third and the fourth part ran on a GPU
# (NVIDIA H100) beside three others: 19,217 and 36,545 steps. On a CPU leave out --device and --compile, and give it days.
set -euo pipefail
data=${1:?folder of the training data}
[ -f local/natural.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,clic} --out local/natural.npz
python scripts/train_weights.py gaussian --pack local/natural.npz --minutes 48 --patch 128 --batch 9 \
    --muon-lr 0.006 --muon-decay 0.1 --adam-lr 6e-4 --seed 131 \
    --init weights/photo.safetensors --out local/gaussian-first
python scripts/train_weights.py gaussian --pack local/natural.npz --minutes 38 --patch 192 --batch 4 \
    --muon-lr 0.0025 --muon-decay 0.1 --adam-lr 3e-4 --seed 142 \
    --init local/gaussian-first/checkpoint.pt --out local/gaussian
python scripts/train_weights.py gaussian --device cuda --compile --precision bf16 --pack local/natural.npz --minutes 6.5 \
    --patch 176 --batch 32 --muon-lr 0.01 --muon-decay 0.1 --adam-lr 1e-3 --ema 0.999 --seed 160 \
    --init local/gaussian/checkpoint.pt --out local/gaussian-third
python scripts/train_weights.py gaussian --device cuda --compile --precision bf16 --pack local/natural.npz --minutes 13.1 \
    --patch 176 --batch 32 --muon-lr 0.006 --muon-decay 0.1 --adam-lr 6e-4 --ema 0.999 --cooldown 1 --seed 301 \
    --init local/gaussian-third/checkpoint.pt --out local/gaussian-fourth
python scripts/export_weights.py gaussian --checkpoint local/gaussian-fourth/checkpoint.pt --steps-before 166176
