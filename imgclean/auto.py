"""What `--model auto` takes a page for: by itself, else by its file or by its folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from .choose import Choice, choose
from .images import Reader
from .siblings import Postponed, Siblings

__all__ = ["Auto"]


class Auto:
    """Chooses weights for the images of one run. Threads may share it."""

    def __init__(self) -> None:
        """Know no image yet."""
        self._siblings = Siblings()

    def note(self, source: Path, reader: Reader, model: str, *, mute: bool = False) -> None:
        """Remember what an image was taken for, since it tells what unsure ones beside it are.

        Args:
            source: the image file, open in `reader`.
            reader: tells its size.
            model: names of weights, joined by `+`.
            mute: whether it is one that tells nothing, and is counted alone.
        """
        if mute:
            self._siblings.note_blank(source.parent)
            return
        page = "scan" in model.split("+")
        self._siblings.note(source.parent, reader.width, reader.height, page=page)

    def page(
        self, reader: Reader, index: int, pixels: NDArray[Any], before: Sequence[str]
    ) -> Choice:
        """What a page of several is: an unsure one goes with what comes before or after it.

        Args:
            reader: the file.
            index: of the page.
            pixels: its own, see `choose`.
            before: weights that the pages before it got.
        """
        choice = choose(pixels)
        if choice.unsure and self._is_sheet(choice, reader, index, before):
            return _decided(choice, "scan", "a file of pages")
        return choice

    @staticmethod
    def _is_sheet(choice: Choice, reader: Reader, index: int, before: Sequence[str]) -> bool:
        """Whether an unsure page follows print; of the first one, whether print follows it.

        A blank one may follow photos too: it can be the back of a sheet before them.
        """
        if index > 0:
            return "scan" in before and (choice.blank or "photo" not in before)
        later = (choose(reader.page(number).pixels) for number in range(1, reader.pages))
        return next((other.name == "scan" for other in later if not other.unsure), False)

    def image(
        self, source: Path, reader: Reader, pixels: NDArray[Any], *, last: bool
    ) -> tuple[Choice, bool]:
        """What a file's only page is, and whether its folder was needed for that, or unable.

        Raises:
            Postponed: it is unsure; to be asked again, `last`, once the others of a run were.
        """
        choice = choose(pixels)
        if not choice.unsure:
            return choice, False
        if not last:
            self.note(source, reader, choice.name, mute=choice.blank)
            raise Postponed
        verdict = self._siblings.verdict(source.parent, reader.width, reader.height)
        if verdict is None or verdict == choice.name:
            return choice, choice.name == "photo"
        kind = "pages" if verdict == "scan" else "photos"
        return _decided(choice, verdict, f"a folder of {kind} of this size"), True

    def is_page_now(self, source: Path, reader: Reader, *, last: bool) -> bool:
        """Whether an unsure image became a photo in an earlier run, and is a page by now.

        Raises:
            Postponed: to be asked again, `last`, once the others of a run were.
        """
        if not last:
            self.note(source, reader, "photo", mute=True)
            raise Postponed
        return self._siblings.verdict(source.parent, reader.width, reader.height) == "scan"


def _decided(choice: Choice, name: Literal["scan", "photo"], among: str) -> Choice:
    """An unsure choice that what lies beside the image decided."""
    what = "nearly blank" if choice.blank else "unsure"
    return replace(choice, name=name, reason=f"{what}, in {among} ({choice.reason})")
