"""Fonts of this system, the scripts they cover, and words to write in them."""

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from .errors import DependencyError

__all__ = ["ENGLISH", "EUROPEAN", "MISSING", "SCRIPTS", "SCRIPT_WEIGHTS", "family", "find_fonts",
           "held_out", "load_font", "scripts_of"]  # fmt: skip

FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/texmf/fonts", "~/.fonts",
           "~/.local/share/fonts", "/Library/Fonts", "/System/Library/Fonts",
           "C:/Windows/Fonts")  # fmt: skip
NOT_TEXT = re.compile(
    r"symbol|emoji|dingbat|ornament|initial|math|icon|keyboard|braille|music|nushu|colored"
    r"|linlibertine_?[ID]R|webding|wingding|opens__|hieroglyph",
    re.IGNORECASE,
)
MISSING = "no font can write text here; install one, on Debian: apt-get install fonts-dejavu-core"

_ENGLISH = """
    the of and to in a is that for it was on are as with his they at be this from have or by one
    had not but what all were when we there can an your which their said if do will each about how
    up out them then she many some so these would other into has more her two like him see time
    could no make than first been its who now people my made over did down only way find use may
    water long little very after words called just where most know get through back much before go
    good new write our used me man too any day same right look think also around another came come
    work three word must because does part even place well such here take why things help put
    years different away again off went old number great tell men say small every found still
    between name should Mr home big give air line set own under read last never us left end along
    while might next sound below saw something thought both few those always looked show large
    often together asked house world going want school important until form food keep children
    document invoice amount total balance payment received department university application
    signature company address telephone reference agreement schedule temperature measurement
    handwriting recognition experiment quality figure table section chapter mechanical journey
    quick brown jump lazy dog zebra exercise oxygen quarter knowledge kitchen village winter
"""
_EUROPEAN = """
    être où garçon déjà naïve français über Straße Größe schön für früh año señor mañana corazón
    ação não coração però città più smørrebrød år blåbær źródło łódź żółty příliš žluťoučký kůň
    árvíztűrő tükörfúrógép għajn İstanbul şeker çocuk žāvēt ełk ñandú cœur l’été „Wort“ «mot»
"""
ENGLISH = tuple(_ENGLISH.split())
EUROPEAN = tuple(_EUROPEAN.split())


def _letters(*ranges: tuple[int, int]) -> str:
    return "".join(chr(code) for low, high in ranges for code in range(low, high + 1))


SCRIPTS: Mapping[str, str] = {
    "latin": _letters((0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39)) + ".,;:!?-()$%",
    "european": "".join(sorted(set("".join(EUROPEAN)))),
    "greek": _letters((0x3B1, 0x3C9), (0x391, 0x3A1), (0x3AC, 0x3AF)),
    "cyrillic": _letters((0x410, 0x44F)),
    "arabic": _letters((0x627, 0x63A), (0x641, 0x64A)),
    "hebrew": _letters((0x5D0, 0x5EA)),
    "devanagari": _letters((0x915, 0x928), (0x92A, 0x930), (0x93E, 0x940), (0x947, 0x947)),
    "thai": _letters((0xE01, 0xE2E)),
    "chinese": "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生"
    "对着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前",
    "japanese": _letters((0x3041, 0x3093), (0x30A1, 0x30F3)) + "日本語東京大学時間新聞鬱龍霧響議",
    "korean": "가나다라마바사아자차카타파하의이는을를에서한국어문서전화번호대학교시간읽기쓰기",
}
SCRIPT_WEIGHTS = (58, 10, 5, 8, 5, 2, 5, 2, 3, 2, 1)


@lru_cache(maxsize=256)
def load_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels; the last 256 stay open."""
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=16384)  # there are systems with more than 5,000
def scripts_of(path: Path) -> tuple[str, ...]:
    """Names of the `SCRIPTS` whose letters a font file covers; empty if it cannot be read."""
    try:
        font = ImageFont.truetype(path, 12)
        missing = bytes(font.getmask("\U0010fffd"))
        return tuple(name for name, letters in SCRIPTS.items() if _covers(font, letters, missing))
    except (OSError, ValueError):
        return ()


def _covers(font: ImageFont.FreeTypeFont, letters: str, missing: bytes) -> bool:
    # A missing letter comes out as the font's box for missing letters, or as nothing at all.
    alone = [letter for letter in letters if not "\u093e" <= letter <= "\u0947"]
    sample = [*alone[:: max(1, len(alone) // 16)], alone[-1]]
    masks = (bytes(font.getmask(letter)) for letter in sample)
    return all(mask != missing and any(mask) for mask in masks)


def find_fonts() -> list[Path]:
    """Font files of this system that can write at least one script, without symbol fonts.

    Raises:
        DependencyError: If there is none; pages cannot be rendered then.
    """
    found: list[Path] = []
    for folder in FOLDERS:
        found += sorted(Path(folder).expanduser().rglob("*.[toOT][tT][fcFC]"))
    fonts = [path for path in found if not NOT_TEXT.search(path.name) and scripts_of(path)]
    if not fonts:
        raise DependencyError(f"{FOLDERS[0]}: {MISSING}")
    return fonts


def family(path: Path) -> str:
    """The first word of a font file's name, which files of one design share."""
    return re.split(r"[-_ ]|(?<=[a-z])(?=[A-Z])", path.stem)[0].lower()


def held_out(path: Path) -> bool:
    """Whether a font's family is one of the sixteenth that training never sees."""
    return zlib.crc32(family(path).encode()) % 16 == 0
