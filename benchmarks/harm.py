"""What the weights do to images that need little or nothing, and to dirt of a stroke's depth.

    python benchmarks/harm.py --data ../shared/data
    python benchmarks/harm.py --data ../shared/data --scan NAME --photo NAME --count 24

For `photo`, clean screenshots, flat paintings with outlines, photos in print (`prints.py`) and line
art, as `choose_others.py` and `choose_pages.py` draw them from held-out photos and fonts: PSNR of
the result to the image itself, and the largest change of a channel's mean. For `scan`, without the
safety gate, pages in fonts that training never saw, on paper of 240 with noise of sigma 4, so that
no page counts as clean already:
how many connected pieces of ink (`pieces`: darker than 160, 3 pixels or more) keep less than 40 %
of their depth, how much of the depth of grey text is left (`grey`: the median over its darkest
pixels), and how much of that of single black pixels on blank paper (`pepper`: half a per cent of
the pixels, at 200 dpi; less is better), or of dark discs of so many pixels across on blank paper
beside text at 300 dpi (`crumbs`; less is better), how much of that of hatching, contour lines,
codes and other drawings on dirty paper in uneven light (`drawn`), and of that of pale stamps over
text at 150 and 300 dpi, by the depth of their ink (`stamps`, half of them coloured), and of pale
fills under text (`fills`, likewise; with its deviation within a fill, as a share of it), how much
of the saturation of thin writing in coloured ink on dirty tinted paper is left (`inks`), how many
pieces of text of so little depth are lost on paper that is grey or yellowed (`faint`), which share
of the empty lower half of a letter at 200 dpi stays darker than 215 (`empty`: on paper of some
brightness, which falls off towards the bottom by some share; less is better), and how far grey
photos of Kodak24 on an empty page are from themselves (`pictures` of so many pixels a side, RMSE on
[0, 1]).
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import imgclean
from imgclean.blocks import BLOCKS, Sheet
from imgclean.fonts import held_out
from imgclean.metrics import psnr
from imgclean.pages import find_fonts, render_page, scripts_of
from imgclean.restore import Denoiser

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from choose_images import Sources, colour
from choose_others import flat_painting, plain_screenshot
from choose_pages import figures, scribble
from prints import printed

Pixels = NDArray[np.uint8]
DPIS = (75, 100, 150, 200, 300)
GREYS = (128, 160, 190, 210)
PAPER = 240
INKS = {"red": (200, 40, 50), "blue": (40, 60, 170), "sepia": (110, 70, 40), "green": (30, 120, 60)}


def drawn(kind: str, sources: Sources, count: int) -> Iterator[Pixels]:
    """Clean images of a kind, H x W x 3, at most 512 pixels a side."""
    for number in range(count):
        rng = np.random.default_rng([2027, number])
        if kind == "screenshots":
            image = plain_screenshot(rng, sources)
        elif kind == "paintings":
            image = flat_painting(colour(sources.photo(rng)), rng)
        elif kind == "prints":
            image = printed(sources.photo(rng), rng)
        else:
            image = np.full((512, 512, 3), 255, np.uint8)
            inks = [(0, 0, 0), (40, 40, 40), (20, 40, 140), (170, 30, 30)]
            figures(image, rng, inks, int(rng.integers(1, 4)))
            scribble(image, rng, 4, inks, float(rng.uniform(12, 40)))
        yield np.ascontiguousarray(image[:512, :512])


def photos(denoiser: Denoiser, sources: Sources, count: int) -> None:
    """Print a line for every kind of clean image."""
    for kind in ("screenshots", "paintings", "prints", "line art"):
        values, shifts = [], []
        for image in drawn(kind, sources, count):
            result = denoiser(image)
            values.append(min(99.0, psnr(clean=image, other=result)))
            shifts.append(np.abs(result.mean((0, 1)) - image.mean((0, 1))).max())
        print(
            f"{kind:12s} {count} images: {np.mean(values):.2f} dB, lowest {min(values):.2f} dB, "
            f"{sum(value < 45 for value in values)} under 45 dB; "
            f"channel means move by {max(shifts):.2f} of 255 at most",
            flush=True,
        )


def scanned(page: Pixels, rng: np.random.Generator) -> Pixels:
    """The page on slightly grey paper, with a little noise."""
    noise = rng.normal(0, 4, page.shape)
    return np.clip(np.rint(page * (PAPER / 255) + noise), 0, 255).astype(np.uint8)


def block(name: str, rng: np.random.Generator, fonts: list[Path], side: int = 400) -> Pixels:
    """A page full of one kind of block, in black, side x side x 1."""
    scale, em = 3, float(rng.uniform(7, 36))
    canvas = Image.new("L", (side * scale, side * scale), 255)
    font = fonts[int(rng.integers(len(fonts)))]
    sheet = Sheet(canvas, rng, [font], "latin", em * scale, 10, False, [])
    top, edge = 10 * scale, (side - 10) * scale
    while top < edge - em * scale:
        top = BLOCKS[name][1](sheet, (10 * scale, top, edge, edge)) + round(em * scale)
    soft = cv2.GaussianBlur(np.asarray(sheet.image), (0, 0), 0.35 * scale)
    small: Pixels = np.asarray(
        cv2.resize(soft, (side, side), interpolation=cv2.INTER_AREA), np.uint8
    )
    return small[..., None]


def latin_fonts() -> list[Path]:
    """Fonts for Latin text that training never saw."""
    return [path for path in find_fonts() if held_out(path) and "latin" in scripts_of(path)]


def text_page(rng: np.random.Generator, number: int, fonts: list[Path]) -> tuple[Pixels, int]:
    """Text of a page at 150 or 300 dpi, in one or three channels by turns, and its dpi."""
    dpi = (150, 300)[number // 2 % 2]
    page, _ = render_page(rng, 800, 900, fonts, dpi=dpi, plain=True)
    return np.repeat(page, 1 + 2 * (number % 2), axis=2), dpi


def dirty(page: Pixels, rng: np.random.Generator) -> Pixels:
    """The page on mottled paper, darker towards the right, with more noise."""
    mottle = cv2.GaussianBlur(rng.normal(0, 1, page.shape[:2]), (0, 0), 12)
    paper = 220 - np.linspace(0, 40, page.shape[1]) + 6 * mottle / mottle.std()
    noisy = page * (paper[..., None] / 255) + rng.normal(0, 7, page.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def drawings(denoiser: Denoiser, count: int) -> None:
    """Print how much of the depth of drawings is left on dirty paper."""
    fonts = latin_fonts()
    for name in ("hatching", "contours", "code", "chart", "drawing", "music", "handwriting"):
        left = []
        for number in range(count):
            rng = np.random.default_rng([2030, number])
            page = block(name, rng, fonts)
            ink = page < 200
            if ink.any():
                result = denoiser(dirty(page, rng)).astype(np.float64)
                left.append(float((255 - result[ink]).sum() / (255.0 - page[ink]).sum()))
        print(
            f"drawn {name}: {np.mean(left):.2f} of its depth left, least {min(left):.2f}",
            flush=True,
        )


def stamped(
    page: Pixels, rng: np.random.Generator, fonts: list[Path], dpi: int, depth: float
) -> tuple[Pixels, NDArray[np.bool_]]:
    """A page with three framed words stamped over it, and where they are and no text is."""
    height, width, channels = page.shape
    fine = 3
    ink = np.zeros((height, width))
    for _ in range(3):
        em = float(rng.uniform(0.12, 0.4)) * dpi * fine
        font = ImageFont.truetype(str(fonts[int(rng.integers(len(fonts)))]), round(em))
        layer = Image.new("L", (width * fine, height * fine), 0)
        draw = ImageDraw.Draw(layer)
        place = rng.uniform(0.05, 0.6, 2) * layer.size
        box = draw.textbbox((float(place[0]), float(place[1])), "RECEIVED 27", font)
        draw.text((float(place[0]), float(place[1])), "RECEIVED 27", 255, font)
        gap = 0.3 * em
        around = (box[0] - gap, box[1] - gap, box[2] + gap, box[3] + gap)
        draw.rectangle(around, outline=255, width=max(2, round(0.08 * em)))
        layer = layer.rotate(float(rng.normal(0, 12)), Image.Resampling.BILINEAR)
        soft = cv2.GaussianBlur(np.asarray(layer), (0, 0), 0.5 * fine)
        small = np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_AREA))
        ink = np.maximum(ink, small / 255)
    colour = rng.permutation([1.0, 0.8, 0.2]) if channels == 3 else np.ones(1)
    printed = np.rint(page * (1 - depth * ink[..., None] * colour)).astype(np.uint8)
    bare = cv2.erode(page.min(axis=2), np.ones((5, 5), np.uint8)) == 255
    return printed, (ink > 0.9) & bare


def stamps(denoiser: Denoiser, count: int) -> None:
    """Print how much of the depth of pale stamps is left on dirty paper."""
    fonts = latin_fonts()
    for depth in (0.12, 0.2, 0.3, 0.45):
        left = []
        for number in range(count):
            rng = np.random.default_rng([2033, number])
            page, dpi = text_page(rng, number, fonts)
            page, where = stamped(page, rng, fonts, dpi, depth)
            if where.any():
                result = denoiser(dirty(page, rng))[where].astype(np.float64)
                left.append(float((255 - result).sum() / (255.0 - page[where]).sum()))
        print(
            f"stamps {depth:.2f}: {np.mean(left):.2f} of their depth left, least {min(left):.2f}",
            flush=True,
        )


def fills(denoiser: Denoiser, count: int) -> None:
    """Print how much of the depth of pale panels under text is left on dirty paper."""
    fonts = latin_fonts()
    for depth in (0.08, 0.15, 0.25):
        left, uneven = [], []
        for number in range(count):
            rng = np.random.default_rng([2034, number])
            page, _ = text_page(rng, number, fonts)
            where = np.zeros(page.shape[:2], bool)
            top, wide = int(rng.integers(60, 500)), int(rng.integers(200, 700))
            where[top : top + int(rng.integers(40, 240)), 90 : 90 + wide] = True
            colour = rng.permutation([1.0, 0.7, 0.2]) if page.shape[2] == 3 else np.ones(1)
            soft = cv2.GaussianBlur(where.astype(np.float64), (0, 0), 0.5)[..., None]
            filled = np.rint(page * (1 - depth * soft * colour)).astype(np.uint8)
            bare = cv2.erode(page.min(axis=2), np.ones((7, 7), np.uint8)) == 255
            inside = (cv2.erode(where.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & bare
            shade = 255 - denoiser(dirty(filled, rng)).mean(axis=2)[inside]
            share = shade / (255.0 - filled.mean(axis=2)[inside])
            left.append(float(share.mean()))
            uneven.append(float(share.std()))
        print(
            f"fills {depth:.2f}: {np.mean(left):.2f} of their depth left, least {min(left):.2f}; "
            f"uneven by {np.mean(uneven):.2f}",
            flush=True,
        )


def inks(denoiser: Denoiser, count: int) -> None:
    """Print how much of the saturation of coloured writing is left on dirty tinted paper."""
    for name, ink in INKS.items():
        left = []
        for number in range(count):
            rng = np.random.default_rng([2037, number])
            cover = np.zeros((360, 900), np.uint8)
            for line in range(3):
                place, size = (20, 90 + 110 * line), float(rng.uniform(1, 1.8))
                text, thick = "Dear Aunt Mary, we are", int(rng.integers(1, 4))
                font = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
                cv2.putText(cover, text, place, font, size, 255, thick, cv2.LINE_AA)
            clear = 1 - cover[..., None] / 255 * (1 - np.array(ink) / 255)
            paper = 1 - np.sort(rng.uniform(0.02, 0.2, 3))
            page = dirty(np.rint(255 * clear * paper).astype(np.uint8), rng)
            code = cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            page = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
            result = denoiser(np.ascontiguousarray(page))[cover > 230].astype(np.float64)
            left.append(saturation(1 - result / 255) / saturation(1 - clear[cover > 230]))
        print(f"inks {name}: {np.mean(left):.2f} of their saturation left, least {min(left):.2f}",
              flush=True)  # fmt: skip


def faint(denoiser: Denoiser, count: int) -> None:
    """Print how many pieces of faint text are lost on dirty paper, grey and yellowed."""
    fonts = latin_fonts()
    for name, paper in (("grey", (0.88, 0.88, 0.88)), ("yellowed", (0.9, 0.82, 0.64))):
        for depth in (0.2, 0.3, 0.45):
            found = []
            for number in range(count):
                rng = np.random.default_rng([2038, number])
                page, _ = text_page(rng, 2 * number + 1, fonts)
                shown = np.rint(255 * (1 - depth * (1 - page / 255)) * paper)
                result = denoiser(dirty(shown.astype(np.uint8), rng))
                found.append(lost(page, result, depth))
            gone, total = np.sum(found, axis=0)
            print(f"faint {depth:.2f} on {name} paper: {gone} of {total} lost, "
                  f"{100 * gone / total:.2f} %", flush=True)  # fmt: skip


def saturation(depth: NDArray[np.float64]) -> float:
    """Of the mean depth below white, pixels x 3, in [0, 1]."""
    mean = depth.mean(axis=0)
    return float((mean.max() - mean.min()) / mean.max())


def lost(clean: Pixels, result: Pixels, share: float = 1.0) -> tuple[int, int]:
    """How many pieces of ink, of a share of the clean depth, lost most of it; of how many."""
    ink = (clean.max(axis=2) < 160).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    depth = np.zeros((2, count))
    for index, page in enumerate((clean, result)):
        np.maximum.at(depth[index], labels.ravel(), 255.0 - page.min(axis=2).ravel())
    large = stats[1:, cv2.CC_STAT_AREA] >= 3
    return int((large & (depth[1] < 0.4 * share * depth[0])[1:]).sum()), int(large.sum())


def scans(denoiser: Denoiser, count: int) -> None:
    """Print what becomes of ink at each resolution, of grey text, and of pepper."""
    fonts = [path for path in find_fonts() if held_out(path)]
    for dpi in DPIS:
        gone = total = 0
        for number in range(count):
            rng = np.random.default_rng([2027, dpi, number])
            tinted = number % 3 == 0
            page, _ = render_page(rng, 640, 640, fonts, dpi=dpi, colour=tinted)
            one, all_ = lost(page, denoiser(scanned(page, rng)))
            gone, total = gone + one, total + all_
        print(f"pieces {dpi} dpi: {gone} of {total} lost, {100 * gone / total:.3f} %", flush=True)
    for level in GREYS:
        left = []
        for number in range(count):
            rng = np.random.default_rng([2028, number])
            dpi = DPIS[number % len(DPIS)]
            page, _ = render_page(rng, 480, 480, fonts, dpi=dpi, plain=True)
            grey = (255 - (255.0 - page) * ((255 - level) / 255)).astype(np.uint8)
            core = page < 50
            if core.any():
                result = denoiser(scanned(grey, rng))
                left.append(np.median((255.0 - result[core]) / (255.0 - grey[core])))
        print(f"grey {level}: {np.median(left):.2f} of its depth left, least {min(left):.2f}")
    left = []
    for number in range(count):
        rng = np.random.default_rng([2029, number])
        page, _ = render_page(rng, 480, 480, fonts, dpi=200, plain=True)
        blank = cv2.erode(page, np.ones((9, 9), np.uint8)) == 255
        spots = (rng.random(page.shape[:2]) < 0.005) & blank
        noisy = scanned(page, rng)
        noisy[spots] = 0
        left.append(float(np.mean((255.0 - denoiser(noisy)[spots]) / 255)))
    print(f"pepper: {np.mean(left):.2f} of its depth left, most {max(left):.2f}")


def crumbs(denoiser: Denoiser, count: int) -> None:
    """Print how much of the depth of dark discs, which are no full stops yet, is left."""
    fonts = [path for path in find_fonts() if held_out(path)]
    for across in (1.5, 2.0, 3.0):
        left = []
        for number in range(count):
            rng = np.random.default_rng([2031, number])
            page, _ = render_page(rng, 640, 640, fonts, dpi=300, plain=True)
            rows, columns = np.nonzero(cv2.erode(page, np.ones((17, 17), np.uint8)) == 255)
            if not len(rows):
                continue
            discs = np.zeros([4 * side for side in page.shape[:2]], np.uint8)
            for place in rng.choice(len(rows), min(60, len(rows)), replace=False):
                centre = int(4 * columns[place] + 2), int(4 * rows[place] + 2)
                cv2.circle(discs, centre, round(2 * across), (255,), -1)
            small = cv2.resize(discs, page.shape[1::-1], interpolation=cv2.INTER_AREA)
            share = small[..., None] / 255
            noisy = np.asarray(np.rint(scanned(page, rng) * (1 - 0.85 * share)), np.uint8)
            dark = share > 0.5
            result = denoiser(noisy)[dark].astype(np.float64)
            left.append((255 - result).sum() / (255.0 - noisy[dark]).sum())
        print(f"crumbs {across}: {np.mean(left):.2f} of their depth left", flush=True)


def empty(denoiser: Denoiser) -> None:
    """Print which share of a letter's empty half stays darker than 215, however the light falls."""
    rng = np.random.default_rng(2032)
    fonts = latin_fonts()
    text, _ = render_page(rng, 700, 1200, fonts, dpi=200, plain=True)
    letter = np.pad(text[..., 0], ((0, 1000), (0, 0)), constant_values=255) / 255
    below = np.clip(np.linspace(-0.25, 1, 1700), 0, 1)[:, None]  # where light falls off
    lights = ((0.95, 0.3), (0.95, 0.4), (0.95, 0.5), (0.85, 0.25), (0.75, 0.1), (0.55, 0.1))
    for paper, fall in lights:
        light = paper * (1 - fall * below)
        grain = cv2.GaussianBlur(rng.standard_normal(letter.shape), (0, 0), 0.7)
        noisy = np.rint(255 * np.clip((0.07 + 0.93 * letter) * light + 0.03 * grain, 0, 1))
        result = denoiser(noisy.astype(np.uint8))
        share = np.mean(result[760:] < 215)
        print(f"empty {paper:.2f}, falling off by {fall:.2f}: {share:.3f} dark", flush=True)


def pictures(denoiser: Denoiser, folder: Path, count: int) -> None:
    """Print how far grey photos in the middle of an empty page are from themselves afterwards."""
    for side in (250, 500, 800, 1600, 2400):
        errors = []
        for path in sorted(folder.iterdir())[:count]:
            photo = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if photo is None:
                raise SystemExit(f"{path}: cannot be read")
            way = cv2.INTER_AREA if side <= min(photo.shape) else cv2.INTER_CUBIC
            photo = np.asarray(cv2.resize(photo, (side, side), interpolation=way))
            page = np.pad(photo, 100, constant_values=250)[..., None]
            change = (denoiser(page).astype(np.float32) - page)[100:-100, 100:-100] / 255
            errors.append(float(np.sqrt(np.mean(change**2))))
        print(f"pictures {side}: RMSE {np.mean(errors):.3f}, most {max(errors):.3f}", flush=True)


def main() -> None:
    """Print the figures of both weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--photo", default="photo", help="weights; '' for none")
    parser.add_argument("--scan", default="scan", help="weights; '' for none")
    parser.add_argument("--count", type=int, default=24, help="images of each kind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if options.scan:
        scan = imgclean.load(options.scan, device="cpu")
        scans(scan, options.count)
        crumbs(scan, options.count)
        drawings(scan, options.count)
        stamps(scan, options.count)
        fills(scan, options.count)
        inks(scan, options.count)
        faint(scan, options.count)
        empty(scan)
        pictures(scan, options.data / "validation" / "kodak24", options.count)
    if options.photo:
        denoiser = imgclean.load(options.photo, device="cpu")
        photos(denoiser, Sources(options.data, True), options.count)


if __name__ == "__main__":
    main()
