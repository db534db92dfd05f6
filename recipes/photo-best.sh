#!/usr/bin/env bash
# Train photo-best weights: recipes/photo-best.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
#
# A network of four times the cost that begins as the photo weights. Here all parts have its 64/128/192 channels; the shipped
# weights had 64/96/144 until the fourth, which ran on a GPU (NVIDIA H100) beside three others, as did the fifth: 12,883 and
# 18,505 steps, the fifth with 413 of the drawings. On a CPU leave out --device and --compile, and give it days. Those of the shipped file were of
# before recipes/photo.sh's fourth part (its local/half/photo.safetensors), and its drawings, 480, held no
# mesh, net or cloth. Its first part was broken off after 685 steps, before its rate fell. The third saw
# what recipes/photo.sh's last parts do: sharp and enlarged photos of BSD and CLIC, and photos under mesh and cloth.
# The sixth, 11,827 steps on a core, was the first to see the grain of film and of enlarged photos; the seventh, 6,039 beside other
# work, photos in print, sharp demosaicing, digital zoom, drawn spectra, and noise smoothed along lines and cut by thresholds.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-117}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
[ -f local/screens.npz ] || python scripts/make_screens.py --data "$data" --out local/screens.npz
python scripts/train_weights.py photo-best --pack local/photos.npz --screens local/screens.npz --minutes 12 \
    --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 3e-4 --seed 61 \
    --init weights/photo.safetensors --out local/best-first
python scripts/train_weights.py photo-best --pack local/photos.npz --screens local/screens.npz --minutes "$minutes" \
    --patch 128 --batch 9 --muon-lr 0.004 --muon-decay 0.1 --adam-lr 4e-4 --seed 72 \
    --init local/best-first/checkpoint.pt --out local/best
[ -f local/natural.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,clic} --out local/natural.npz
python scripts/train_weights.py photo-best --pack local/natural.npz --screens local/screens.npz --enlarge 0.2 --minutes 92 \
    --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --seed 132 \
    --init local/best/checkpoint.pt --out local/best-third
python scripts/train_weights.py photo-best --device cuda --compile --precision bf16 --pack local/natural.npz \
    --screens local/screens.npz --enlarge 0.25 --minutes 10 --patch 176 --batch 32 --muon-lr 0.008 --muon-decay 0.1 \
    --adam-lr 8e-4 --ema 0.999 --seed 163 --init local/best-third/checkpoint.pt --out local/best-fourth
python scripts/train_weights.py photo-best --device cuda --compile --precision bf16 --pack local/natural.npz \
    --screens local/screens.npz --enlarge 0.3 --minutes 12.8 --patch 176 --batch 32 --muon-lr 0.006 --muon-decay 0.1 \
    --adam-lr 6e-4 --ema 0.999 --cooldown 1 --seed 303 --init local/best-fourth/checkpoint.pt --out local/best-fifth
python scripts/train_weights.py photo-best --pack local/natural.npz --screens local/screens.npz --enlarge 0.25 --minutes 112 \
    --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.999 --cooldown 1 --seed 811 \
    --init local/best-fifth/checkpoint.pt --out local/best-sixth
[ -f local/screens-prints.npz ] || python scripts/make_screens.py --data "$data" --prints 400 --out local/screens-prints.npz
python scripts/train_weights.py photo-best --pack local/natural.npz --screens local/screens-prints.npz --enlarge 0.25 --minutes 128 \
    --precision bf16 --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 4e-4 --ema 0.999 --cooldown 1 --seed 1107 \
    --init local/best-sixth/checkpoint.pt --out local/best-seventh
python scripts/export_weights.py photo-best --checkpoint local/best-seventh/checkpoint.pt --steps-before 122823
