"""One thread for the network, and a bound on what is in memory beside it."""

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from .restore import Denoiser

__all__ = ["Budget", "Network", "Stopped"]

_SMALL = 1_000_000  # pixels; up to this size images share batches


class Stopped(Exception):
    """The run was interrupted: the work in hand is dropped."""


@dataclass(frozen=True)
class _Request:
    pixels: NDArray[Any]
    model: str
    future: "Future[int]" = field(default_factory=Future)


class Network:
    """The thread that owns the denoisers; requests that wait together share a batch."""

    def __init__(self, denoisers: "Mapping[str, Denoiser]", strength: float) -> None:
        """Clean at `strength`, with the denoisers by their names; the thread starts when asked."""
        self.denoisers, self.strength = denoisers, strength
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._lock, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._serve, name="imgclean-network", daemon=True)

    def clean(self, pixels: NDArray[Any], model: str) -> int:
        """Clean H x W x C pixels in place; blocks until done.

        Returns:
            The number of a scanner's streaks that were removed.

        Raises:
            Stopped: the network was closed before.
        """
        request = _Request(pixels, model)
        with self._lock:
            if self._closed:
                raise Stopped
            if self._thread.ident is None:  # a run that is never iterated leaves no thread
                self._thread.start()
            self._requests.put(request)
        return request.future.result()

    def close(self, *, wait: bool = False) -> None:
        """End the thread once what was asked of it is done; with `wait`, return only then."""
        with self._lock:  # nothing comes behind the end: nobody would answer it
            self._closed = True
            self._requests.put(None)
        if wait and self._thread.ident is not None:
            self._thread.join()

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            requests = [request]
            limit = self.denoisers[request.model].batch_size
            with suppress(queue.Empty):
                while len(requests) < limit:
                    following = self._requests.get_nowait()
                    if following is None:
                        self._requests.put(None)
                        break
                    requests.append(following)
            for request in filter(self._is_large, requests):
                self._clean([request])
            for model in dict.fromkeys(request.model for request in requests):
                small = [r for r in requests if r.model == model and not self._is_large(r)]
                if small:
                    self._clean(small)

    def _is_large(self, request: _Request) -> bool:
        """Whether an image fills passes of the network by itself and would gain nothing."""
        return request.pixels.size > 3 * _SMALL

    def _clean(self, requests: list[_Request]) -> None:
        denoiser = self.denoisers[requests[0].model]
        kept = [request.pixels.copy() for request in requests] if len(requests) > 1 else []
        try:
            streaks = denoiser.clean([request.pixels for request in requests], self.strength)
            answers = list(zip(requests, streaks, strict=True))
        except BaseException as error:  # noqa: BLE001  # handed to the threads that wait, whole
            if len(requests) > 1:
                for request, pixels in zip(requests, kept, strict=True):
                    request.pixels[...] = pixels  # some were cleaned: no image is cleaned twice
                    self._clean([request])  # so that one bad image fails alone
                return
            requests[0].future.set_exception(error)
            return
        for request, count in answers:
            request.future.set_result(count)


class Budget:
    """Bytes of images in flight; a single image is let in whatever its size."""

    def __init__(self, limit: int) -> None:
        """Bound the bytes in flight by `limit`."""
        self.limit, self._used = limit, 0
        self._changed = threading.Condition()

    def take(self, size: int) -> None:
        """Wait until an image of so many bytes fits in."""
        with self._changed:
            self._changed.wait_for(lambda: self._used == 0 or self._used + size <= self.limit)
            self._used += size

    def give(self, size: int) -> None:
        """Say that an image of so many bytes is out of memory again."""
        with self._changed:
            self._used -= size
            self._changed.notify_all()
