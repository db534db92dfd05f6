#!/usr/bin/env bash
# Rebuild the scan weights: recipes/scan.sh DATA [MINUTES], from the checkout's top.
# DATA holds documents/noisyoffice and photos/{bsd432,imagenet,sunhays,clic}. Needs fonts: the more of Debian's
# fonts-* packages are installed, the more scripts and styles the pages have.
#
# In twenty-one parts, the twelfth and the fourteenth on a GPU (NVIDIA H100) beside three others, 16,758 and 17,288 steps, the fifteenth
# beside one, 21,203; on a CPU leave out --device and --compile, and give it days. Until the fourteenth 42 % of the patches were real pairs,
# and no page a copy; until the fifteenth none had crumbs, sharpening or added marks, and pages had 75 to 400 dpi, a median of 140; until the sixteenth,
# which was broken off after 10 of 62 minutes, none was moved out of sight; until the eighteenth, broken off after 30 of 85
# minutes, none had stamps or watermarks, and until the nineteenth none had pale fills. The last made the second network, for small print: 40 % of its patches were drawn at half the size and enlarged. Here all have the network's five levels and 48 channels at the finest; the shipped weights had
# 32 there before the twelfth part, and got the fifth level before the
# ninth part, in which a third instead of a fifth of the rendered patches had photos, and which was broken
# off and started afresh twice while its rate was still constant (1,823 and 1,417 steps). The first part
# of the shipped weights, 5,667 steps, saw 600 pages in 308 fonts and damped the means of the kernels
# instead of balancing the rectifiers. The first two saw inks of all greys below 110 and half as many
# specks; the third was preceded by 1,865 steps at half its rate, and was followed by one more of its
# kind (seed 13, 97 minutes), which saw gloss every second time as did all after it. Then came 97 minutes
# at rate 0.004 (after 20 more that were broken off), which won little, and 16 minutes at 0.0012, which
# did; at last larger patches with photos pasted onto them, 663 steps on the pages before and 8,086 on
# pages that also hold hatching, maps, codes and charts.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-50}
[ -f local/scan.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 900 --seed 5 --out local/scan.npz
python scripts/train_weights.py scan --pack local/scan.npz --minutes 25 --muon-lr 0.008 \
    --ema 0.999 --patch 192 --batch 8 --seed 1 --out local/scan-first
python scripts/train_weights.py scan --pack local/scan.npz --minutes "$minutes" --muon-lr 0.006 \
    --muon-decay 0.1 --ema 0.999 --patch 192 --batch 8 --seed 7 \
    --init local/scan-first/checkpoint.pt --out local/scan-second
python scripts/train_weights.py scan --pack local/scan.npz --minutes "$minutes" --muon-lr 0.003 \
    --muon-decay 0.1 --adam-lr 6e-4 --ema 0.998 --patch 192 --batch 8 --seed 12 --loss clipped-l1 \
    --init local/scan-second/checkpoint.pt --out local/scan-third
python scripts/train_weights.py scan --pack local/scan.npz --minutes "$minutes" --muon-lr 0.003 \
    --muon-decay 0.1 --adam-lr 6e-4 --ema 0.998 --patch 192 --batch 8 --seed 13 --loss clipped-l1 \
    --init local/scan-third/checkpoint.pt --out local/scan
python scripts/train_weights.py scan --pack local/scan.npz --minutes 97 --muon-lr 0.004 \
    --muon-decay 0.1 --adam-lr 8e-4 --ema 0.999 --patch 192 --batch 8 --seed 18 --loss clipped-l1 \
    --init local/scan/checkpoint.pt --out local/scan-fifth
python scripts/train_weights.py scan --pack local/scan.npz --minutes 16 --muon-lr 0.0012 \
    --muon-decay 0.1 --adam-lr 2.4e-4 --ema 0.998 --patch 192 --batch 8 --seed 19 --loss clipped-l1 \
    --init local/scan-fifth/checkpoint.pt --out local/scan-sixth
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
[ -f local/scan-new.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 1000 --seed 6 --out local/scan-new.npz
python scripts/train_weights.py scan --pack local/scan.npz --pictures local/photos.npz --minutes 10 \
    --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.998 --patch 320 --batch 3 --seed 42 \
    --loss clipped-l1 --init local/scan-sixth/checkpoint.pt --out local/scan-seventh
python scripts/train_weights.py scan --pack local/scan-new.npz --pictures local/photos.npz --minutes 106 \
    --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.998 --patch 320 --batch 3 --seed 43 \
    --loss clipped-l1 --init local/scan-seventh/checkpoint.pt --out local/scan-eighth
python scripts/train_weights.py scan --pack local/scan-new.npz --pictures local/photos.npz --minutes 100 \
    --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.998 --patch 448 --batch 2 --seed 75 \
    --loss clipped-l1 --init local/scan-eighth/checkpoint.pt --out local/scan-ninth
[ -f local/scan-newer.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 1000 --seed 8 --out local/scan-newer.npz
python scripts/train_weights.py scan --pack local/scan-newer.npz --pictures local/photos.npz --minutes 122 \
    --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 2.5e-4 --ema 0.998 --patch 448 --batch 2 --seed 81 \
    --loss clipped-l1 --init local/scan-ninth/checkpoint.pt --out local/scan-tenth
[ -f local/scan-newest.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 1000 --seed 9 --out local/scan-newest.npz
python scripts/train_weights.py scan --pack local/scan-newest.npz --pictures local/photos.npz --minutes 116 \
    --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 2.5e-4 --ema 0.998 --patch 448 --batch 2 --seed 91 \
    --loss clipped-l1 --init local/scan-tenth/checkpoint.pt --out local/scan-eleventh
[ -f local/scan-last.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 800 --seed 10 --out local/scan-last.npz
[ -f local/natural.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,clic} --out local/natural.npz
python scripts/train_weights.py scan --device cuda --compile --precision bf16 --workers 9 --pack local/scan-last.npz \
    --pictures local/natural.npz --minutes 10.2 --patch 448 --batch 8 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 5e-4 \
    --ema 0.999 --seed 161 --loss clipped-l1 --init local/scan-eleventh/checkpoint.pt --out local/scan-twelfth
[ -f local/scan-more.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 500 --seed 11 --out local/scan-more.npz
python scripts/train_weights.py scan --pack local/scan-more.npz --pictures local/natural.npz --minutes 76 --patch 448 --batch 3 \
    --muon-lr 0.001 --muon-decay 0.1 --adam-lr 1.7e-4 --ema 0.999 --seed 201 --loss clipped-l1 --cooldown 1 \
    --init local/scan-twelfth/checkpoint.pt --out local/scan-thirteenth
[ -f local/scan-copies.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 700 --seed 14 --out local/scan-copies.npz
python scripts/train_weights.py scan --device cuda --compile --precision bf16 --workers 10 --pack local/scan-copies.npz \
    --pictures local/natural.npz --minutes 12.8 --patch 448 --batch 8 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 5e-4 \
    --ema 0.999 --cooldown 1 --seed 304 --loss clipped-l1 --init local/scan-thirteenth/checkpoint.pt --out local/scan-fourteenth
[ -f local/scan-finer.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 800 --seed 16 --out local/scan-finer.npz
python scripts/train_weights.py scan --device cuda --compile --precision bf16 --workers 13 --pack local/scan-finer.npz \
    --pictures local/natural.npz --minutes 12.9 --patch 448 --batch 8 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 5e-4 \
    --ema 0.999 --cooldown 1 --seed 404 --loss clipped-l1 --init local/scan-fourteenth/checkpoint.pt --out local/scan-fifteenth
python scripts/export_weights.py scan --checkpoint local/scan-fifteenth/checkpoint.pt --steps-before 136415 --out local/fifteenth
python scripts/train_weights.py scan --pack local/scan-finer.npz --pictures local/natural.npz --minutes 10 --patch 448 --batch 3 \
    --muon-lr 0.0008 --muon-decay 0.1 --adam-lr 1.3e-4 --ema 0.998 --seed 405 --loss clipped-l1 --cooldown 1 \
    --init local/scan-fifteenth/checkpoint.pt --out local/scan-sixteenth
python scripts/train_weights.py scan --pack local/scan-finer.npz --pictures local/natural.npz --minutes 30 --patch 448 --batch 3 \
    --muon-lr 0.0007 --muon-decay 0.1 --adam-lr 1.1e-4 --ema 0.998 --seed 406 --loss clipped-l1 --cooldown 1 \
    --init local/scan-sixteenth/checkpoint.pt --out local/scan-seventeenth
python scripts/export_weights.py scan --checkpoint local/scan-seventeenth/checkpoint.pt --steps-before 158691 \
    --mean-with local/fifteenth/scan.safetensors --share 0.65 --out local/seventeenth
[ -f local/scan-coarser.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 800 --seed 20 --coarse 0.12 --out local/scan-coarser.npz
python scripts/train_weights.py scan --pack local/scan-coarser.npz --pictures local/natural.npz --minutes 30 --patch 448 --batch 3 \
    --muon-lr 0.001 --muon-decay 0.1 --adam-lr 1.6e-4 --ema 0.998 --seed 601 --loss clipped-l1 --cooldown 1 \
    --init local/seventeenth/scan.safetensors --out local/scan-eighteenth
python scripts/train_weights.py scan --pack local/scan-coarser.npz --pictures local/natural.npz --minutes 72 --patch 448 --batch 3 \
    --muon-lr 0.0009 --muon-decay 0.1 --adam-lr 1.4e-4 --ema 0.998 --seed 602 --loss clipped-pinball --cooldown 1 \
    --init local/scan-eighteenth/checkpoint.pt --out local/scan-nineteenth
python scripts/export_weights.py scan --checkpoint local/scan-nineteenth/checkpoint.pt --steps-before 162824 \
    --mean-with local/seventeenth/scan.safetensors --share 0.4 --out local/nineteenth
[ -f local/scan-strokes.npz ] || python scripts/make_pages.py --documents "$data/documents/noisyoffice" \
    --photos "$data/photos/imagenet" --pages 1640 --seed 30 --coarse 0.12 --out local/scan-strokes.npz
python scripts/train_weights.py scan --precision bf16 --pack local/scan-strokes.npz --pictures local/natural.npz --minutes 78 \
    --patch 448 --batch 3 --muon-lr 0.001 --muon-decay 0.1 --adam-lr 1.6e-4 --ema 0.998 --seed 901 --loss clipped-l1 --cooldown 1 \
    --init local/nineteenth/scan.safetensors --out local/scan-twentieth
python scripts/export_weights.py scan --checkpoint local/scan-twentieth/checkpoint.pt --steps-before 168532 \
    --mean-with local/nineteenth/scan.safetensors --share 0.5 --out local/twentieth
python scripts/train_weights.py scan --precision bf16 --pack local/scan-strokes.npz --pictures local/natural.npz --minutes 80 \
    --patch 448 --batch 3 --muon-lr 0.001 --muon-decay 0.1 --adam-lr 1.6e-4 --ema 0.998 --seed 1201 --loss clipped-l1 --cooldown 1 \
    --twice 0.4 --init local/twentieth/scan.safetensors --out local/scan-twenty-first
python scripts/export_weights.py scan --checkpoint local/scan-twentieth/checkpoint.pt --steps-before 168532 \
    --mean-with local/nineteenth/scan.safetensors --share 0.5 --small-print local/scan-twenty-first/checkpoint.pt
