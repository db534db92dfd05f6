"""What cleaning does to pages that none of the project's own code draws or damages.

    python benchmarks/other_pages.py --photos ../shared/data/photos/imagenet --pages 20

Chromium sets text of Python's own documentation in one of the installed fonts, in one to three
columns, at 150, 200 or 300 dpi. Code that shares nothing with `imgclean.paper` damages each page in
three of six ways: a phone's photo, a bad copy, old paper, a pale scan with streaks, wet stains,
creases; paper's texture is that of photos. `scan` cleans it, with the safety gate.
Printed are RMSE on [0, 1] to the clean page, where the page stays in its place, and Tesseract's
character error rate against what it reads in the clean page. The damages are hard on purpose.
"""

import argparse
import html
import random
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import imgclean
from imgclean.fonts import ENGLISH, find_fonts, scripts_of
from imgclean.metrics import rmse
from imgclean.safety import is_clean, protect
from imgclean.texts import check_tesseract, error_rates, read_text

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]
Generator = np.random.Generator
WIDTH, HEIGHT = 596, 836  # CSS pixels of 1/96 inch


def paragraphs() -> list[str]:
    """Plain sentences of the standard library's docstrings."""
    found = []
    for path in sorted(Path(random.__file__).parent.glob("*.py")):
        for text in re.findall(r'"""(.*?)"""', path.read_text(errors="ignore"), re.DOTALL):
            parts = (re.sub(r"\s+", " ", part).strip() for part in text.split("\n\n"))
            found += [p for p in parts if re.fullmatch(r"[A-Za-z0-9 ,.;:'()\-?!\"]{80,900}", p)]
    return found


def page(number: int, texts: list[str], fonts: list[Path], folder: Path) -> tuple[Plane, int]:
    """A page in grey on [0, 1], as a browser sets it, and its dots per inch."""
    rng = random.Random(number)
    dpi, size = rng.choice([150, 200, 300]), rng.choice([8, 9, 10, 11, 12, 14])
    columns = rng.choice([1, 1, 2, 3])
    body = [f"<h2>{' '.join(rng.sample(ENGLISH, 4))}</h2>"]
    while sum(map(len, body)) < 1450 * (10 / size) ** 2:
        body.append(f"<p>{html.escape(rng.choice(texts))}</p>")
        if columns == 1 and rng.random() < 0.12:
            cells = "".join(f"<td>{w}</td>" for w in [*rng.sample(ENGLISH, 2), rng.randrange(999)])
            body.append(f"<table>{f'<tr>{cells}</tr>' * 3}</table>")
    style = (
        f"@font-face{{font-family:f;src:url('{rng.choice(fonts).as_uri()}')}}"
        f"body{{margin:0;background:#fff;color:#{rng.choice(['000', '222', '333'])}}}"
        f"div{{padding:.5in;font:{size}pt/{rng.choice([1.15, 1.25, 1.4])} f;column-count:{columns};"
        f"text-align:{rng.choice(['left', 'justify'])}}}p{{margin:0 0 .5em}}"
        "table{border-collapse:collapse}td{border:1px solid #444;padding:2px 8px}"
    )
    source, target = folder / "page.html", folder / "page.png"
    source.write_text(f"<meta charset=utf8><style>{style}</style><div>{''.join(body)}</div>")
    target.unlink(missing_ok=True)
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
         f"--force-device-scale-factor={dpi / 96}", f"--window-size={WIDTH},{HEIGHT}",
         f"--screenshot={target}", source.as_uri()],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    image = cv2.imread(str(target), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise SystemExit("chromium drew nothing; install it (apt-get install chromium)")
    return np.asarray(image, np.float32) / np.float32(255), dpi


class Damage:
    """Six ways to damage a page on [0, 1]; each gives 8 bits, grey or RGB."""

    def __init__(self, rng: Generator, dpi: int, photos: list[Path], other: Plane) -> None:
        """Draw from `rng`; `other` shines through from the other side."""
        self.rng, self.scale, self.photos, self.other = rng, dpi / 200, photos, other

    def texture(self, shape: tuple[int, ...]) -> Plane:
        """A photo's grey as unevenness of zero mean and unit variance."""
        path = self.photos[int(self.rng.integers(len(self.photos)))]
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert image is not None
        large = cv2.resize(image.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        return np.asarray((large - large.mean()) / (large.std() + 1e-3), np.float32)

    def noise(self, shape: tuple[int, ...], sigma: float) -> Plane:
        """White Gaussian noise."""
        return np.asarray(sigma * self.rng.standard_normal(shape, np.float32), np.float32)

    def soft(self, image: Plane, low: float, high: float) -> Plane:
        """Blurred by so many pixels at 200 dpi."""
        sigma = self.rng.uniform(low, high) * self.scale
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)

    def coded(self, image: NDArray[np.floating]) -> Pixels:
        """Through JPEG."""
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(self.rng.integers(55, 93))]
        code = cv2.imencode(".jpg", pixels[..., ::-1] if pixels.ndim == 3 else pixels, quality)[1]
        decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_UNCHANGED), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1] if pixels.ndim == 3 else decoded)

    def phone(self, image: Plane) -> Pixels:
        """Askew, in uneven light, noisy and sharpened."""
        height, width = image.shape
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = corners + self.rng.uniform(-0.02, 0.02, (4, 2)).astype(np.float32) * height
        matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        image = np.asarray(cv2.warpPerspective(image, matrix, (width, height), borderValue=(1.0,)))
        y, x = np.mgrid[:height, :width] / height
        away = np.hypot(x - self.rng.uniform(), y - self.rng.uniform())
        light = (0.04 + 0.96 * self.soft(image, 0.5, 1.1)) ** 2.2 * (
            1 - self.rng.uniform(0.1, 0.5) * away
        )
        light = light + self.noise(light.shape, 1) * np.sqrt(light * self.rng.uniform(5e-4, 4e-3))
        seen = np.clip(light, 0, 1) ** (1 / 2.2)
        seen = seen + 0.6 * (seen - cv2.GaussianBlur(seen, (0, 0), 1.2))
        return self.coded(seen[..., None] * [1, self.rng.uniform(0.88, 1), 0.85])

    def copy(self, image: Plane) -> Pixels:
        """In black and white by a threshold, with dirt."""
        rough = self.soft(image, 0.6, 1.2) + self.noise(image.shape, 0.12)
        ink = (rough > self.rng.uniform(0.4, 0.7)).astype(np.float32)
        for _ in range(int(image.size * self.rng.uniform(1e-5, 1e-4))):
            place = [int(self.rng.integers(side)) for side in image.shape[::-1]]
            cv2.circle(ink, place, int(self.rng.integers(1, 3)), 0.0, -1)
        return self.coded(self.soft(ink, 0.6, 0.7) * 0.85 + 0.1 + self.noise(image.shape, 0.03))

    def old(self, image: Plane) -> Pixels:
        """Brown, spotted and faded, with the other side shining through."""
        spots = np.zeros(image.shape, np.float32)
        for _ in range(int(self.rng.integers(0, 25))):
            place = [int(self.rng.integers(side)) for side in image.shape[::-1]]
            cv2.circle(spots, place, int(self.rng.uniform(2, 0.03 * len(image))), 0.2, -1)
        paper = 1 + 0.03 * self.texture(image.shape) - self.soft(spots, 3, 9)
        ink = (1 - image) * np.clip(0.8 + 0.15 * self.texture(image.shape), 0.3, 1)
        back = cv2.flip(cv2.resize(self.other, image.shape[::-1]), 1)
        through = self.soft(1 - back, 1.5, 2.5) * self.rng.uniform(0.05, 0.25)
        sheet = self.soft(paper * (1 - 0.9 * ink) * (1 - through), 0.4, 0.9)
        noisy = sheet[..., None] * [0.88, 0.78, 0.62] + self.noise((*image.shape, 3), 0.02)
        return self.coded(noisy)

    def pale(self, image: Plane) -> Pixels:
        """Of little contrast, with streaks of the scanner's sensor."""
        contrast = self.rng.uniform(0.3, 0.65)
        level = self.rng.uniform(0.2, 1 - contrast)
        row = self.noise((1, image.shape[1]), 0.1) * (self.rng.random((1, image.shape[1])) < 0.02)
        seen = self.soft(image, 0.5, 1) * contrast + level + row
        return self.coded(seen + self.noise(image.shape, self.rng.uniform(0.01, 0.04)))

    def wet(self, image: Plane) -> Pixels:
        """Brown stains with an edge."""
        sheet = image[..., None] * np.array([0.97, 0.93, 0.86])
        for _ in range(int(self.rng.integers(1, 4))):
            blot = np.zeros(image.shape, np.float32)
            place = [int(self.rng.integers(side)) for side in image.shape[::-1]]
            axes = [int(self.rng.uniform(0.08, 0.3) * image.shape[1]) for _ in range(2)]
            cv2.ellipse(blot, place, axes, self.rng.uniform(0, 180), 0, 360, (1.0,), -1)
            rim = np.abs(cv2.GaussianBlur(blot, (0, 0), 3) - cv2.GaussianBlur(blot, (0, 0), 8))
            depth = (cv2.GaussianBlur(blot, (0, 0), 2) + 1.5 * rim) * self.rng.uniform(0.5, 1.3)
            sheet = sheet * (1 - depth[..., None] * np.array([0.1, 0.2, 0.35]))
        return self.coded(sheet + self.noise((*image.shape, 3), 0.02))

    def creased(self, image: Plane) -> Pixels:
        """Folded: shaded flanks, dark lines, and bright ones beside them."""
        sheet = 0.9 * image + 0.02 * self.texture(image.shape)
        y, x = np.indices(image.shape, np.float32)
        for _ in range(int(self.rng.integers(2, 7))):
            angle = self.rng.choice([0, np.pi / 2, self.rng.uniform(0, np.pi)])
            along = (x - self.rng.uniform(0, image.shape[1])) * -np.sin(angle)
            along = (along + (y - self.rng.uniform(0, image.shape[0])) * np.cos(angle)) / self.scale
            wide = self.rng.uniform(0.8, 2.5)
            flank = np.clip(along / self.rng.uniform(3, 40), -30, 30)
            sheet = sheet * (1 - self.rng.uniform(0.05, 0.18) / (1 + np.exp(-flank)))
            sheet = sheet - self.rng.uniform(0.05, 0.35) * np.exp(-((along / wide) ** 2))
            sheet = sheet + self.rng.uniform(0, 0.2) * np.exp(-(((along - 3) / 2) ** 2))
        blurred = self.soft(np.asarray(sheet, np.float32), 0.6, 0.7)
        return self.coded(blurred + self.noise(image.shape, 0.025))


KINDS: tuple[Callable[[Damage, Plane], Pixels], ...] = (
    Damage.phone, Damage.copy, Damage.old, Damage.pale, Damage.wet, Damage.creased,
)  # fmt: skip


def read(pixels: Pixels) -> str:
    """Tesseract's text."""
    return read_text(pixels if pixels.ndim == 3 else pixels[..., None])


def main() -> None:
    """Print a line for every page and a table by kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="for the texture of paper")
    parser.add_argument("--pages", type=int, default=16)
    parser.add_argument("--model", default="scan")
    options = parser.parse_args()
    check_tesseract("eng")
    photos = sorted(options.photos.iterdir())
    fonts = [path for path in find_fonts() if "latin" in scripts_of(path)]
    denoiser, texts = imgclean.load(options.model, device="cpu"), paragraphs()
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        drawn = [page(number, texts, fonts, Path(folder)) for number in range(options.pages)]
    for number, (clean, dpi) in enumerate(drawn):
        target = np.rint(clean * 255).astype(np.uint8)
        true = read(target)
        faint = np.random.default_rng(number).normal(0, 1, target.shape)
        again = read(np.clip(np.rint(target + faint), 0, 255).astype(np.uint8))
        if len(true.split()) < 20 or error_rates(true=true, read=again)[0] > 2:
            continue  # a font that Tesseract reads otherwise every time
        for place, kind in enumerate(KINDS):
            if (number + place) % 2:
                continue
            other = drawn[(number + 1) % len(drawn)][0]
            dirty = kind(Damage(np.random.default_rng([number, place]), dpi, photos, other), clean)
            result = dirty
            if not is_clean(np.atleast_3d(dirty)):
                result = np.asarray(protect(dirty, denoiser(dirty))[0], np.uint8)
            texts_read = [error_rates(true=true, read=read(image))[0] for image in (dirty, result)]
            grey = [i.mean(axis=2) if i.ndim == 3 else i for i in (dirty, result)]
            apart = [rmse(clean=clean, other=(g / 255).astype(np.float32)) for g in grey]
            row = (apart[0], apart[1], texts_read[0], texts_read[1])
            rows.setdefault(kind.__name__, []).append(row)
            print(
                f"page {number:2} {kind.__name__:8} {dpi} dpi  RMSE {apart[0]:.4f} -> "
                f"{apart[1]:.4f}  CER {texts_read[0]:6.2f} -> {texts_read[1]:6.2f} %",
                flush=True,
            )
    rows["all"] = [row for each in rows.values() for row in each]
    for name, each in rows.items():
        before, after, misread, left = np.mean(each, axis=0)
        worse = sum(row[3] > row[2] + 0.1 for row in each)
        moved = "" if name in ("phone", "all") else f"RMSE {before:.4f} -> {after:.4f}  "
        print(
            f"{name:8} {len(each):3} pages  {moved}CER {misread:.2f} -> {left:.2f} %, "
            f"median {np.median([r[2] for r in each]):.2f} -> "
            f"{np.median([r[3] for r in each]):.2f}; {worse} worse by over 0.1 points"
        )


if __name__ == "__main__":
    main()
