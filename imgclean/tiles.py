"""Where to cut an image into tiles that fit into memory, each seen with a halo around it."""

__all__ = ["split", "split_evenly"]

Edges = tuple[list[int], list[int]]  # of rows and of columns, the first 0 and the last the length


def split(height: int, width: int, *, limit: int, halo: int, multiple: int) -> Edges:
    """The split of an image that computes the fewest pixels of halos twice.

    Args:
        height: in pixels, as all of these.
        width: likewise.
        limit: pixels that a tile may have in all, its halo among them.
        halo: around a tile, on each side where the image goes on.
        multiple: tiles begin at multiples of it.
    """
    if height * width <= limit:
        return [0, height], [0, width]
    best, least = (multiple, multiple), float("inf")
    for across in range(1, -(-width // 64) + 1):
        side = min(width, -(-width // across) + 2 * halo)
        tall = limit // side - 2 * halo
        if tall < multiple:
            continue
        down = -(-height // tall)
        cost = side * across * (height + 2 * halo * down)
        if cost < least:
            best, least = (-(-height // down), -(-width // across)), cost
    return _edges(height, best[0], multiple), _edges(width, best[1], multiple)


def split_evenly(height: int, width: int, side: int, multiple: int) -> Edges:
    """Squares of about `side` pixels."""
    return _edges(height, side, multiple), _edges(width, side, multiple)


def _edges(length: int, core: int, multiple: int) -> list[int]:
    step = -(-core // multiple) * multiple
    return [*range(0, length, step), length]
