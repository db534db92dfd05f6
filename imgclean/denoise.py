"""Clean folders: carry out a plan, one `Outcome` a file.

Worker threads decode, choose and encode; one more thread owns the network, so that
reading and writing go on beside it and small images share its batches. What is in
memory is bounded by the workers, never by how many files there are.
"""

import atexit
import errno
import math
import os
import queue
import stat
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args
from weakref import WeakSet

import cv2
import numpy as np
from numpy.typing import NDArray

from .auto import Auto
from .choose import choose
from .errors import ImageError, ImgcleanError, OutputError, UsageError
from .folders import shown
from .forms import to_form
from .images import TEMPORARY, Image, PageInfo, Reader, Writer, in_use
from .journal import JOURNAL, Journal, fingerprint
from .memory import return_freed
from .metadata import Metadata
from .metrics import estimate_sigma
from .network import Budget, Network, Stopped
from .plans import Job, Options, Plan, comparison_of, kind_and_suffix, plan, refuse_alike
from .safety import Kept, is_clean, protect
from .siblings import Postponed, Turns, Vote
from .specks import LARGEST
from .stains import BYTES

__all__ = ["Job", "Options", "Outcome", "Plan", "Run", "denoise_folder", "plan"]

Status = Literal["done", "clean", "skipped", "failed"]

_AUTO = ("photo", "scan")
_RUNS: "WeakSet[Run]" = WeakSet()
_processes: set[int] = set()  # that had a run: this one, and those it was forked from
_IMAGES_BUDGET = 1_200_000_000  # bytes of decoded images in flight, unless told otherwise
_ASIDE = 150_000_000  # bytes of an input that are kept in memory while it is cleaned
_HUGE = 300_000_000  # bytes of a decoded image from which on freed memory is not kept for later
_FEATURES = 600_000_000  # bytes at most that the network's features get of --limit-memory
FILE_SECONDS = 0.02  # that a file costs whatever its size: opening, flushing, the journal
_RUNTIME = 450_000_000  # bytes that Python, torch and libvips take before any image
_COMPARE_SIDE = 4000  # pixels; the longest side of one half of a comparison
_COMPARE_QUALITY = 92
_GENERATION = 20  # raised when the same weights and options give other pixels than before


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    `clean` is done too: nothing had to be cleaned. `sigma` is the input's estimated noise, 0 to
    255, `kept` what the safety gate found missing, `streaks` how many of a scanner's were removed
    from all pages; of a `damaged` file parts could not be decoded. Of an `unsure` one, or
    some page of it, what lies beside it decided what it is, or it is a photo since that could not;
    `followed` counts the pages that are cleaned as such for that. `models` are the pages' own
    where they differ, and `model` then joins them.
    """

    job: Job
    status: Status
    model: str | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    sigma: float | None = None
    seconds: float = 0.0
    error: str | None = None
    reason: str | None = None
    kept: tuple[Kept, ...] = ()
    streaks: int = 0
    damaged: bool = False
    unsure: bool = False
    followed: int = 0
    models: tuple[str, ...] = ()

    @property
    def megapixels(self) -> float:
        """Million pixels, over all pages."""
        return (self.width or 0) * (self.height or 0) * (self.pages or 0) / 1e6


@dataclass
class _Seen:
    """What came up while a file's pages were cleaned."""

    models: list[str] = field(default_factory=list)
    sigmas: list[float] = field(default_factory=list)
    reason: str | None = None
    cleaned: bool = False  # whether the network was needed
    kept: list[Kept] = field(default_factory=list)
    streaks: int = 0
    views: list[NDArray[np.uint8]] = field(default_factory=list)  # first page, before and after
    profile: bytes | None = None  # ICC, of the first page
    damaged: bool = False
    unsure: bool = False
    followed: int = 0
    vote: Vote | None = None  # what it tells about its neighbours, if it was asked


class Run:
    """Carries out a plan; iterate over it for the outcomes, in order of completion.

    Args:
        work: the plan.
        options: how to do it.
        dry: only look at what would be done: nothing is written, no network is loaded.

    Attributes:
        full: whether the run ended early because nothing more fits on the disk.
        gone: whether it did because its output folder was removed or replaced.

    Raises:
        WeightsError: weights are missing or damaged.
        OutputError: the output folder cannot be written.
        UsageError: a device or precision that is not there, a limit that is too low, or a
            process forked from one that had a run.
    """

    def __init__(self, work: Plan, options: Options, *, dry: bool = False) -> None:
        """Load the weights and open the journal; no image is read yet."""
        self._process = _enter()
        from .restore import Denoiser
        from .weights import load_weights

        names = _AUTO if options.model == "auto" else (options.model,)
        weights = {name: load_weights(name) for name in names}
        self.plan, self.options, self.dry = work, options, dry
        memory, images = _split_memory(options.limit_memory)
        self._denoisers = {
            name: Denoiser(
                loaded,
                device=options.device,
                precision=options.precision,
                tile=options.tile,
                batch_size=options.batch_size,
                memory=memory,
            )
            for name, loaded in weights.items()
        }
        self.device = str(next(iter(self._denoisers.values())).device)
        self.precision: str | None = None  # known once an image was cleaned
        cores = os.cpu_count() or 1
        self.workers = options.workers or (min(cores, 4) if self.device == "cpu" else 8)
        self.current: list[str] = []
        self.full, self.gone = "", False  # why nothing more can be written
        self._digests = {name: loaded.digest for name, loaded in weights.items()}
        self._budget = Budget(images)
        self._largest = 0  # bytes that an image took, or would in a dry run
        self._strict = options.limit_memory is not None
        self._journal = Journal(work.out, write=not dry)
        try:
            refuse_alike(work, work.out / JOURNAL)
        except UsageError:
            self._journal.close()
            raise
        self._out = Path(os.path.realpath(work.out))
        self._network = Network(self._denoisers, options.strength)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._writers: set[Writer] = set()
        self._threads: list[threading.Thread] = []
        self._turns = Turns[Job]()
        self._auto = Auto()
        self._outcomes = queue.SimpleQueue["Outcome | BaseException"]()

    def __iter__(self) -> Iterator[Outcome]:
        """Yield one outcome a job. Leaving early stops the run and removes partial files.

        Raises:
            UsageError: it was iterated before, or stopped.
        """
        if self._threads or self._stop.is_set():
            raise UsageError(f"{self.plan.out}: this Run has run; make another")
        if not self.dry:
            self._sweep()
        for job in self.plan.jobs:
            self._turns.put(job)
        _RUNS.add(self)
        for index in range(self.workers):
            thread = threading.Thread(target=self._work, name=f"imgclean-{index}", daemon=True)
            self._threads.append(thread)
            thread.start()
        try:
            for _ in self.plan.jobs:
                outcome = self._outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
                ends = self.options.fail_fast or self.full or self.gone
                if outcome.status == "failed" and ends:
                    return
            for thread in self._threads:  # the interpreter must not end beneath their libraries
                thread.join()
            self._network.close(wait=True)
        finally:
            self.abort()

    def abort(self, *, wait: bool = False) -> None:
        """Stop now: nothing is written any more, and partial files are removed.

        With `wait`, return only once no thread works any more. A forked process leaves
        its parent's run alone.
        """
        if os.getpid() != self._process:
            return
        self._stop.set()
        self._turns.end()
        with self._lock:
            for writer in self._writers:
                writer.discard()
            self._journal.close()
        if wait:
            for thread in self._threads:
                thread.join()
        self._network.close(wait=wait)

    def memory(self, pixels: int) -> int:
        """Forecast of the peak in bytes, where the largest image so far had so many pixels."""
        first = next(iter(self._denoisers.values()))
        images = max(self._largest, min(self._budget.limit, self._largest * self.workers))
        return _RUNTIME + images + first.features(pixels)

    def may_guard(self, depth: int = 8) -> bool:
        """Whether the safety gate may be on for some image of so many bits."""
        return any(self._guards(name, depth) for name in self._denoisers)

    def may_enlarge(self) -> bool:
        """Whether small print is cleaned at twice the size too, in five times the time."""
        return any(denoiser.enlarges for denoiser in self._denoisers.values())

    def _guards(self, model: str, depth: int) -> bool:
        """Whether the safety gate is on for pages of so many bits cleaned with these weights.

        In one bit a pixel the dots of a picture are strokes, and what became grey would be cut.
        """
        pages = self._denoisers[model].pages
        return pages or depth == 1 if self.options.safe is None else self.options.safe

    def speed(self) -> float:
        """Megapixels a second from file to file, but for what every file costs (`FILE_SECONDS`).

        Measured on noisy paper, in memory: reading, choosing, the network, the gate, and writing.
        """
        rng = np.random.default_rng(0)
        sample = rng.normal(200, 8, (768, 768, 3)).round().clip(0, 255).astype(np.uint8)
        denoiser = next(iter(self._denoisers.values()))
        denoiser.clean([sample.copy()], 1.0)
        code = cv2.imencode(".png", sample)[1]
        begun = time.perf_counter()
        page = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
        if self.options.model == "auto":
            choose(page)
        estimate_sigma(page)
        denoiser.clean([page], 1.0)
        if self.may_guard():
            protect(sample, page)
        cv2.imencode(".png", page)
        return 0.768 * 0.768 / (time.perf_counter() - begun)

    def _sweep(self) -> None:
        """Remove what a killed run left half-written, and nothing that a living one holds."""
        for folder in {job.target.parent for job in self.plan.jobs}:
            with suppress(OSError):  # where nothing can be removed nothing can be written either
                for leftover in folder.glob(f".*{TEMPORARY}"):
                    if not in_use(leftover):
                        leftover.unlink(missing_ok=True)

    def _work(self) -> None:
        from .devices import is_out_of_memory  # which loads torch

        while not self._stop.is_set():
            turn = self._turns.take()
            if turn is None or self._stop.is_set():
                return
            job, last = turn
            name = str(job.source)
            self.current.append(name)
            begun = time.perf_counter()
            try:
                outcome = self._one(job, last=last)
            except Stopped:
                return
            except Postponed:
                self._turns.put_off(job)
                continue
            except ImgcleanError as error:
                self.full = self.full or _why_full(error.__cause__)
                self.gone |= self._journal.gone
                outcome = Outcome(job, "failed", error=str(error))
            except OSError as error:  # a name too long, a file that vanished, a disk that fails
                self.full = self.full or _why_full(error)
                self.gone |= self._journal.gone
                text = f"{error.filename or name}: {error.strerror or error}; check the file"
                outcome = Outcome(job, "failed", error=f"{text}, its folder and its name")
            except BaseException as error:  # noqa: BLE001  # raised again where the run is iterated
                kinds = (MemoryError, RuntimeError, cv2.error)
                if not (isinstance(error, kinds) and is_out_of_memory(error)):
                    self._outcomes.put(error)
                    return
                told = " ".join(str(error).split())
                outcome = Outcome(
                    job,
                    "failed",
                    error=f"{job.source}: not enough memory ({told}); "
                    "use a smaller --tile or --workers 1",
                )
            finally:
                self.current.remove(name)
                if not last:
                    self._turns.tried()
            self._outcomes.put(replace(outcome, seconds=time.perf_counter() - begun))

    def _one(self, job: Job, *, last: bool) -> Outcome:
        """Clean one file, or say why not. An unsure one is `Postponed` but for its last turn."""
        if job.source.is_dir():
            raise ImageError(f"{job.source}: not allowed to list; check its permissions")
        foreign = job.target.exists() and not self._journal.known(job.target)
        if foreign and (not self.options.overwrite or job.target.is_dir()):
            raise _unknown(job.target, self._journal)
        with Reader(job.source, max_pixels=self.options.max_pixels) as reader:
            size = self._reserve(reader, job)
            try:
                return self._clean(job, reader, last=last)
            finally:
                self._budget.give(size)

    def _reserve(self, reader: Reader, job: Job) -> int:
        """Wait until the image fits beside those in flight; returns its bytes, 0 in a dry run."""
        size = int(reader.decoded * 1.15)
        size += max(self._beside(name, reader) for name in self._denoisers)
        if self._strict and self.options.model == "auto" and reader.pages > 1:
            size += reader.decoded  # of a page that is looked at beside a blank one
        if self._strict and size > self._budget.limit:
            least = _RUNTIME + size + min(size, _FEATURES)
            raise ImageError(
                f"{job.source}: needs {math.ceil(least / 1e8) / 10:.1f}G; raise --limit-memory"
            )
        with self._lock:
            self._largest = max(self._largest, size)
        if self.dry:
            return 0
        if self._strict or size > _HUGE:
            return_freed()
        self._budget.take(size)
        return size

    def _beside(self, model: str, reader: Reader) -> int:
        """Bytes held beside an image while it is cleaned: for the gate, and of it as it was.

        Photos are held once as a whole, and twice at half the size; small print is, once. A look
        for stains and specks takes what the network has given back, but for a limit that leaves it
        little.
        """
        decoded, pixels = reader.decoded, reader.width * reader.height
        gate = min(decoded, _ASIDE) if self._guards(model, reader.depth) else 0
        denoiser = self._denoisers[model]
        if self._strict and denoiser.pages and pixels <= LARGEST:
            gate += BYTES * pixels
        return gate + int(decoded * (1.5 if denoiser.photos else 1.0 if denoiser.enlarges else 0))

    def _clean(self, job: Job, reader: Reader, *, last: bool) -> Outcome:
        facts: dict[str, Any] = {}
        facts |= {"width": reader.width, "height": reader.height, "pages": reader.pages}
        key = self._key(reader.digest())
        states = set()
        line: dict[str, Any] = {}
        for path in filter(None, (job.comparison, job.target)):
            state, line = self._journal.check(path, key)
            if not self.options.overwrite:
                if state == "unknown":
                    raise _unknown(path, self._journal)
                if state == "stale":
                    _refuse_other(path, self._out / line.get("source", job.source), job.source)
            states.add(state)
        comparison, outdated = job.comparison, False
        if comparison is None:
            comparison, outdated = self._made_before(job, key)
        vote = line.get("vote")
        again = False  # whether a blank photo is a page by now, as others have come
        if states == {"done"} and vote == "blank" and line.get("model") == "photo":
            again = self._auto.is_blank_page(job.source, reader, last=last)
        if states == {"done"} and not again and not outdated:
            facts |= {name: line.get(name) for name in ("model", "sigma")}
            if not last:
                self._note(job, reader, vote)
            streaks, models = line.get("streaks"), line.get("models")
            facts |= {
                "damaged": line.get("damaged", False),
                "unsure": line.get("unsure") is True,
                "streaks": streaks if isinstance(streaks, int) else 0,
                "kept": tuple(_kept(line.get("kept", []))),
                "models": tuple(map(str, models)) if isinstance(models, list) else (),
            }
            return Outcome(job, "skipped", **facts, reason="already done")
        form, _ = kind_and_suffix(job.source, self.options)
        if reader.pages > 1 and form != "tiff":  # before anything is computed
            raise ImageError(
                f"{job.source}: {form} cannot hold its {reader.pages} pages; use --format tiff"
            )
        if self.dry:
            return Outcome(job, "done", **facts)
        self._journal.refuse_gone()
        _make_folder(job.target.parent)
        mode = stat.S_IMODE(job.source.stat().st_mode)
        with self._writing(job.target, form, self.options.quality, mode, reader) as writer:
            seen = self._pages(replace(job, comparison=comparison), reader, writer, last=last)
            if self._stays(seen, reader, writer):
                writer.copy(reader)  # bit for bit, where encoding again would lose something
            kinds = list(dict.fromkeys(seen.models))
            facts |= {"model": "+".join(kinds), "sigma": _mean(seen.sigmas)}
            facts["models"] = tuple(seen.models) if len(kinds) > 1 else ()
            facts |= {"damaged": seen.damaged, "streaks": seen.streaks, "unsure": seen.unsure}
            told = {"vote": seen.vote, "kept": [asdict(kept) for kept in seen.kept]}
            self._commit(job, writer, key, facts | told)
        if not last:
            self._note(job, reader, seen.vote)
        if comparison:
            with self._writing(comparison, "jpeg", _COMPARE_QUALITY, mode) as writer:
                info = PageInfo(metadata=Metadata(icc=seen.profile))
                writer.add(Image(_side_by_side(*seen.views), info=info))
                self._commit(job, writer, key, {})
        status: Status = "done" if seen.cleaned else "clean"
        facts |= {"reason": seen.reason, "kept": tuple(seen.kept), "followed": seen.followed}
        return Outcome(job, status, **facts)

    def _made_before(self, job: Job, key: str) -> tuple[Path | None, bool]:
        """The comparison that an earlier run made of this target, and whether it is outdated.

        It is made anew with its result. Lines of comparisons, unlike results', name no model.
        """
        path = comparison_of(job.target)
        if not self._journal.known(path):  # nor need there be room for its longer name
            return None, False
        state, line = self._journal.check(path, key)
        if state not in ("done", "stale") or "model" in line:
            return None, False
        return path, state == "stale"

    def _note(self, job: Job, reader: Reader, vote: Any) -> None:
        """Remember what a file seemed to be, if it was asked: it tells what unsure ones are."""
        if vote in get_args(Vote):
            self._auto.note(job.source, reader, vote)

    def _stays(self, seen: _Seen, reader: Reader, writer: Writer) -> bool:
        """Whether the output is the input's very bytes."""
        asked = self.options.quality or self.options.output_mode != "keep"
        needless = not seen.cleaned or self.options.strength == 0
        return needless and writer.format == reader.format and not asked

    @contextmanager
    def _writing(
        self, target: Path, form: str, quality: int | None, mode: int, source: Reader | None = None
    ) -> Iterator[Writer]:
        """A writer whose partial file is removed whatever ends the block, `abort` too."""
        with self._lock:
            if self._stop.is_set():
                raise Stopped
            writer = Writer(target, format=form, quality=quality, source=source, mode=mode)
            self._writers.add(writer)
        try:
            with writer:
                yield writer
        finally:
            with self._lock:
                self._writers.discard(writer)

    def _pages(self, job: Job, reader: Reader, writer: Writer, *, last: bool) -> _Seen:
        seen = _Seen()
        document = self._auto.document(job.source, reader, last=last)
        for index in range(reader.pages):
            if self._stop.is_set():
                raise Stopped
            page = reader.page(index)
            model = self.options.model
            if model == "auto":
                choice = document.choose(page.pixels)
                model = choice.name
                seen.reason = seen.reason or choice.reason
            seen.models.append(model)
            seen.sigmas.append(255 * estimate_sigma(page.pixels))
            compared = job.comparison is not None and index == 0
            seen.damaged |= page.damaged
            if compared:
                seen.views.append(_shrink(page))
                seen.profile = page.info.metadata.icc
            guarded = self._guards(model, page.info.depth)
            if not (guarded and is_clean(page.pixels)):
                seen.cleaned = True
                self._denoise(job, page, model, index, seen, guarded=guarded)
                if self._denoisers[model].pages and self.options.strength > 0:
                    # Colour at half the resolution would cost thin strokes up to half of theirs.
                    page = replace(page, info=replace(page.info, sampling="444"))
            page = to_form(page, self.options.output_mode)
            if compared:
                seen.views.append(_shrink(page))
            if reader.pages > 1 or not self._stays(seen, reader, writer):
                writer.add(page)
        if self.options.model == "auto":
            seen.vote, seen.unsure = document.vote, document.unsure
            seen.followed = document.followed
        return seen

    def _denoise(
        self, job: Job, page: Image, model: str, index: int, seen: _Seen, *, guarded: bool
    ) -> None:
        """Clean a page in place; notes the streaks, and what the safety gate found missing."""
        strength = self.options.strength
        aside = guarded and strength > 0
        before = _aside(page.pixels, job.target.parent) if aside else None
        ends = None
        if page.pixels.dtype == np.float32:  # raw developers write floats beyond 0 and 1 too
            ends = page.pixels.min(initial=0), page.pixels.max(initial=1)
        try:
            seen.streaks += self._network.clean(page.pixels, model)
            if strength > 0:
                self.precision = self._denoisers[model].precision
        except ImageError as error:
            raise ImageError(f"{job.source}: {error}") from error
        if before is not None:
            seen.kept += protect(
                before, page.pixels, strength=strength, page=index, in_place=True,
                bilevel=page.info.depth == 1,
            )[1]  # fmt: skip
        if ends is not None:
            np.clip(page.pixels, *ends, out=page.pixels)

    def _commit(self, job: Job, writer: Writer, key: str, facts: Mapping[str, Any]) -> None:
        writer.finish()
        if self.options.keep_times:
            status = job.source.stat()
            os.utime(writer.temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        with self._lock:
            if self._stop.is_set():
                raise Stopped
            told = {"source": self._origin(job.source), **facts}
            if self.options.keep_times:
                told["keep_times"] = True
            self._journal.add(writer.target, writer.temporary, key, told)
            writer.commit()

    def _origin(self, source: Path) -> str:
        """A source as seen from the output folder, so that copies of both belong together."""
        place = os.path.realpath(source)
        try:
            return os.path.relpath(place, self._out)
        except ValueError:  # on another drive
            return place

    def _key(self, digest: str) -> str:
        """Stands for everything that the output's bytes depend on."""
        told = asdict(self.options)
        kept = "model strength precision format output_mode quality safe keep_times"
        chosen = {name: told[name] for name in kept.split()}
        return fingerprint({"source": digest, "weights": self._digests, **chosen, "v": _GENERATION})


def _kept(lines: Any) -> Iterator[Kept]:
    """What the journal says that the safety gate kept; nothing of what somebody else wrote."""
    with suppress(KeyError, TypeError):
        for line in lines:
            yield Kept(**{**line, "box": tuple(line["box"])})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made ({error.strerror}); check permissions and free space"
        ) from error


def _why_full(error: BaseException | None) -> str:
    """What is wrong with a disk that the next file could not be written on either; else empty."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):  # or the user's share of it
        return "is full"
    return "has become read-only" if number == errno.EROFS else ""


def _split_memory(limit: int | None) -> tuple[int | None, int]:
    """Share `--limit-memory` between the network's features and the images in flight."""
    if limit is None:
        return None, _IMAGES_BUDGET
    free = limit - _RUNTIME
    if free < 150_000_000:
        least = (_RUNTIME + 150_000_000) / 1e9
        raise UsageError(f"--limit-memory: at least {least:.1f}G is needed")
    features = min(free // 2, _FEATURES)
    return features, free - features


def _unknown(path: Path, journal: Journal) -> OutputError:
    if path.is_dir():
        return OutputError(f"{path}: is a folder, where a result is to go; use another --out")
    said = "is not as imgclean made it" if journal.known(path) else "was not made by imgclean"
    if not journal.entries:
        said = f"there is no {JOURNAL} that says it is imgclean's"
    return OutputError(
        f"{path}: exists, and {said}; use --overwrite to replace it, or another --out"
    )


def _refuse_other(path: Path, origin: Path, source: Path) -> None:
    """Keep what was made from another image that is still there, as of another folder's page1.

    Raises:
        OutputError: it was.
    """
    try:
        if origin.samefile(source):
            return
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no path at all
        return
    except OSError:  # it is there, though not to be looked at
        pass
    raise OutputError(
        f"{path}: was made from {shown(Path(os.path.normpath(origin)))}; use another --out, "
        "--parents, or --overwrite to replace it"
    )


def _aside(pixels: NDArray[Any], folder: Path) -> NDArray[Any]:
    """A copy to read from; a large one lies in a nameless file, as it may exceed memory."""
    if pixels.nbytes <= _ASIDE:
        return pixels.copy()
    with tempfile.TemporaryFile(dir=folder) as file:
        pixels.tofile(file)  # a full disk is an error here; writing to a mapping would crash
        file.flush()
        return np.memmap(file, pixels.dtype, "r", shape=pixels.shape)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2) if values else 0.0


def _shrink(page: Image) -> NDArray[np.uint8]:
    """A copy for looking at: upright, 8 bit, and no side over what a JPEG viewer takes."""
    pixels = page.pixels
    factor = min(1.0, _COMPARE_SIDE / max(pixels.shape[:2]))
    size = tuple(max(1, round(length * factor)) for length in pixels.shape[1::-1])
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if factor < 1 else pixels
    peak = {"uint8": 1.0, "uint16": 1 / 257, "float32": 255.0}[str(pixels.dtype)]
    copy: NDArray[np.uint8] = np.clip(small * peak + 0.5, 0, 255).astype(np.uint8)
    return Image(copy if copy.ndim == 3 else copy[..., None], info=page.info).upright().pixels


def _side_by_side(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Noisy left, denoised right, a white line between."""
    if after.shape != before.shape:  # grey now
        after = np.repeat(after, before.shape[2], axis=2)
    line = np.full((len(before), 4, before.shape[2]), 255, np.uint8)
    return np.ascontiguousarray(np.hstack([before, line, after]))


def _enter() -> int:
    """Note that this process reads images with libvips; returns its number.

    Raises:
        UsageError: it was forked from such a one, where libvips would wait for ever.
    """
    number = os.getpid()
    if _processes and number not in _processes:
        raise UsageError(
            "this process was forked from one that had cleaned images, whose libraries do not "
            'work here; start it with multiprocessing.get_context("spawn")'
        )
    _processes.add(number)
    return number


@atexit.register
def _settle() -> None:
    """Stop runs that were left early: the interpreter must not end beneath their threads."""
    for run in list(_RUNS):
        run.abort(wait=True)


def denoise_folder(
    inputs: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    progress: bool = True,
    **options: Any,
) -> list[Outcome]:
    """Clean files and folders into `out`, as the command does; for scripts and notebooks.

    Args:
        inputs: a file or folder, or several.
        out: the folder for the results, made if missing.
        progress: show a tqdm bar.
        **options: fields of `Options`, such as ``model="scan"`` or ``overwrite=True``;
            ``limit_memory`` is in bytes and ``max_pixels`` in pixels.

    Returns:
        One `Outcome` a file, in natural order: its fields as in the JSON document, its paths in
        ``outcome.job.source`` and ``outcome.job.target``. A file that fails has status
        ``failed`` and its reason in ``error``; it raises nothing.

    Raises:
        ImgcleanError: nothing could be started; its children say why.
        OutputError: the disk is full, or has become read-only, too; the same call goes on when it
            has room. Or the folder was removed meanwhile.
    """
    from tqdm.auto import tqdm

    paths: list[Any] = [inputs]
    if isinstance(inputs, Iterable) and not isinstance(inputs, str | bytes | os.PathLike):
        paths = list(inputs)
    for name, path in (("out", out), *(("inputs", path) for path in paths)):
        if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
            raise UsageError(f"{name} {path!r}: is no path; give a string or a Path")
        if not os.fspath(path):
            raise UsageError(f'{name} "": names no folder; give one, or "." for the current one')
    known = [field.name for field in fields(Options)]
    if unknown := sorted(set(options) - set(known)):
        raise UsageError(f"{unknown[0]}: is no option; there are {', '.join(known)}")
    chosen = Options(**options)
    work = plan([Path(path) for path in paths], Path(out), chosen)
    run = Run(work, chosen)
    bar = tqdm(run, total=len(work.jobs), unit="file", disable=not progress)
    order = {job: index for index, job in enumerate(work.jobs)}
    outcomes = sorted(bar, key=lambda outcome: order[outcome.job])
    if run.full:
        made = sum(outcome.status != "failed" for outcome in outcomes)
        raise OutputError(
            f"{out}: the disk {run.full}, {made} of {len(work.jobs)} files are done; "
            "make room or mend it, then the same call goes on"
        )
    if run.gone:
        raise OutputError(f"{out}: was removed or replaced while this ran; call it again")
    return outcomes
