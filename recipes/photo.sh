#!/usr/bin/env bash
# Train photo weights: recipes/photo.sh DATA [MINUTES], from the checkout's top.
# DATA holds photos/{bsd432,imagenet,sunhays,clic}. Interrupted, it continues.
#
# Sixteen parts, as the shipped weights had them on one CPU core: 8,570 steps at rate 0.01, then 125
# minutes of 0.16 s a step at rate 0.006 with weight decay and balanced rectifiers. In each the rate
# is constant and falls linearly from half way. The third, 2,959 steps, saw screenshots and
# paintings too; what came of it is half way between its start and its end. The fourth, 28,921 steps of
# 0.16 to 0.23 s in bfloat16, saw photos under mesh, net and cloth among these (the third did not). The fifth
# (26,840 steps) and the sixth (9,009 in 17 minutes of two cores) saw the photos of BSD and CLIC alone, two in five and
# a quarter of them enlarged; the first 1,700 steps of the fifth and all parts before it had more and finer colour noise
# than noise.py draws now. In all but the last seven 4 % of the patches were clean, and no share of the Gaussian noise faint.
# The ninth ran on a GPU (NVIDIA H100) beside three others, 14,341 steps; on a CPU leave out --device and --compile, and give it days. In
# all before the tenth cameras smoothed their noise alike everywhere; in the tenth the scene was still stretched by four pixels.
# In the eleventh, 18,493 steps beside other work, a tenth of the patches got grain instead of white noise, which those before never saw.
# Until the thirteenth all cameras demosaiced by bilinear interpolation or nearly so, three in four blurred luma in flats and one
# in ten left it alone, photos were shrunk and never enlarged after that, and no noise had a drawn spectrum.
# Its cameras smoothed no noise along lines and cut none by thresholds, and a sixth of the white noise was faint instead of a quarter.
# It ran before two details were mended: OpenCV's demosaicing cut off strong negative noise, and coloured noise could shift a patch.
# The fourteenth saw skies of stars and small sharp photos too, and drawn images in a fifth of the patches instead of an eighth.
# Its skies had at most 0.05 stars a pixel and were not sharpened, and until then a quarter of the white noise was faint, evenly of 0 to 5.
# Before the sixteenth no camera had row noise, 6 % of the patches were clean and 40 % had white noise, and what was clean was no JPEG.
set -euo pipefail
data=${1:?folder of the training data} minutes=${2:-125}
[ -f local/photos.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,imagenet,sunhays,clic} --out local/photos.npz
python scripts/train_weights.py photo --pack local/photos.npz --minutes 25 \
    --muon-lr 0.01 --balance 0 --ema 0.999 --seed 3 --out local/photo-first
python scripts/train_weights.py photo --pack local/photos.npz --minutes "$minutes" --muon-lr 0.006 \
    --muon-decay 0.1 --seed 7 --init local/photo-first/checkpoint.pt --out local/photo
python scripts/export_weights.py photo --checkpoint local/photo/checkpoint.pt --steps-before 8570 --out local
[ -f local/screens.npz ] || python scripts/make_screens.py --data "$data" --out local/screens.npz
python scripts/train_weights.py photo --pack local/photos.npz --screens local/screens.npz --minutes 22 \
    --patch 160 --batch 6 --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 1.5e-4 --seed 51 \
    --init local/photo/checkpoint.pt --out local/photo-third
python scripts/export_weights.py photo --checkpoint local/photo-third/checkpoint.pt --steps-before 53078 \
    --mean-with local/photo.safetensors --out local/half
python scripts/train_weights.py photo --pack local/photos.npz --screens local/screens.npz --minutes 96 \
    --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 4e-4 --seed 92 \
    --init local/half/photo.safetensors --out local/photo-fourth
python scripts/export_weights.py photo --checkpoint local/photo-fourth/checkpoint.pt --steps-before 56037 --out local/fourth
[ -f local/natural.npz ] || python scripts/pack_photos.py "$data"/photos/{bsd432,clic} --out local/natural.npz
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.4 --minutes 75 \
    --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 4e-4 --seed 111 \
    --init local/fourth/photo.safetensors --out local/photo-fifth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.25 --minutes 17 \
    --threads 2 --patch 128 --batch 9 --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 2e-4 --seed 121 \
    --init local/photo-fifth/checkpoint.pt --out local/photo-sixth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.2 --minutes 33 \
    --patch 128 --batch 9 --muon-lr 0.0015 --muon-decay 0.1 --adam-lr 2e-4 --seed 141 \
    --init local/photo-sixth/checkpoint.pt --out local/photo-seventh
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.25 --minutes 27 \
    --patch 128 --batch 9 --muon-lr 0.0012 --muon-decay 0.1 --adam-lr 1.6e-4 --seed 151 \
    --init local/photo-seventh/checkpoint.pt --out local/photo-eighth
python scripts/train_weights.py photo --device cuda --compile --precision bf16 --pack local/natural.npz \
    --screens local/screens.npz --enlarge 0.25 --minutes 10 --patch 176 --batch 32 --muon-lr 0.008 --muon-decay 0.1 \
    --adam-lr 8e-4 --ema 0.999 --seed 162 --init local/photo-eighth/checkpoint.pt --out local/photo-ninth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.4 --minutes 30 \
    --patch 128 --batch 9 --muon-lr 0.0008 --muon-decay 0.1 --adam-lr 1e-4 --ema 0.999 --seed 173 \
    --init local/photo-ninth/checkpoint.pt --out local/photo-tenth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens.npz --enlarge 0.25 --minutes 82 \
    --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 4e-4 --ema 0.999 --cooldown 1 --seed 711 \
    --init local/photo-tenth/checkpoint.pt --out local/photo-eleventh
[ -f local/screens-prints.npz ] || python scripts/make_screens.py --data "$data" --prints 400 --out local/screens-prints.npz
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens-prints.npz --enlarge 0.25 --minutes 60 \
    --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.999 --cooldown 1 --seed 911 \
    --init local/photo-eleventh/checkpoint.pt --out local/photo-twelfth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens-prints.npz --enlarge 0.25 --minutes 82 \
    --precision bf16 --patch 128 --batch 9 --muon-lr 0.003 --muon-decay 0.1 --adam-lr 4e-4 --ema 0.999 --cooldown 1 --seed 1012 \
    --init local/photo-twelfth/checkpoint.pt --out local/photo-thirteenth
[ -f local/screens-sky.npz ] || python scripts/make_screens.py --data "$data" --prints 400 --skies 160 --small 1200 --out local/screens-sky.npz
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens-sky.npz --drawn 0.2 --enlarge 0.25 --minutes 95 \
    --precision bf16 --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.999 --cooldown 1 --seed 4301 \
    --init local/photo-thirteenth/checkpoint.pt --out local/photo-fourteenth
[ -f local/screens-stars.npz ] || python scripts/make_screens.py --data "$data" --prints 400 --skies 240 --small 1200 --out local/screens-stars.npz
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens-stars.npz --drawn 0.2 --enlarge 0.25 --minutes 95 \
    --precision bf16 --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.999 --cooldown 1 --seed 4601 \
    --init local/photo-fourteenth/checkpoint.pt --out local/photo-fifteenth
python scripts/train_weights.py photo --pack local/natural.npz --screens local/screens-stars.npz --drawn 0.2 --enlarge 0.25 --minutes 115 \
    --precision bf16 --patch 128 --batch 9 --muon-lr 0.002 --muon-decay 0.1 --adam-lr 3e-4 --ema 0.999 --cooldown 1 --seed 4901 \
    --init local/photo-fifteenth/checkpoint.pt --out local/photo-sixteenth
python scripts/export_weights.py photo --checkpoint local/photo-sixteenth/checkpoint.pt --steps-before 240429
