"""Weights files with their card: find, load, verify, save.

A file is safetensors in half precision. Its own header names the architecture and the
configuration that builds it, so it loads alone; the JSON card beside it (same name)
says how it was made, how good it is, and carries the file's SHA-256.
"""

import difflib
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import WeightsError
from .files import write_whole

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Weights",
    "available",
    "data_folder",
    "is_shipped",
    "load_weights",
    "locate",
    "read_card",
    "save",
]

_SMALL_PRINT = "small_print."  # before the names of such tensors in a file
_CARD = {"architecture", "sha256"}  # what every card has
_HEADER_LIMIT = 1_000_000  # bytes; a larger safetensors header is not one of ours


@dataclass(frozen=True)
class Weights:
    """A loaded weights file: what builds the model, its tensors (float32), its card.

    `small_print` are the tensors of the same model for pages at twice their size, see
    `imgclean/small_print.py`; none in most files.
    """

    name: str
    path: Path
    architecture: str
    config: dict[str, Any]
    state: "dict[str, Tensor]"
    card: dict[str, Any]
    digest: str
    small_print: "dict[str, Tensor] | None" = None


def data_folder(name: str) -> Path:
    """Where `weights` or `sample_data` lies: inside a wheel, else at the checkout's top."""
    inside = Path(__file__).parent / "_data" / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def available() -> list[Path]:
    """The weights that ship with the package, by name."""
    return sorted(data_folder("weights").glob("*.safetensors"), key=lambda path: path.stem)


def is_shipped(weights: Weights) -> bool:
    """Whether weights are some that ship with the package, wherever they were read from."""
    for path in available():
        with suppress(WeightsError):  # a damaged card of others is no concern of these
            if read_card(path).get("sha256") == weights.digest:
                return True
    return False


def locate(model: str) -> Path:
    """The file that `--model` means: the name of shipped weights, or a path.

    Raises:
        WeightsError: there is no such file; the message lists the names that exist.
    """
    shipped = {path.stem: path for path in available()}
    if model in shipped:
        return shipped[model]
    path = Path(model)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}; check the name and permissions") from error
    names = ", ".join(shipped) or "none"
    if model == "auto":
        raise WeightsError(f"auto: chooses for each image in denoise and eval; here name {names}")
    looks_like_path = os.sep in model or path.suffix
    what = "no such weights file" if looks_like_path else "no weights of that name"
    if path.is_dir():
        inside = path / "weights.safetensors"
        what = f"is a folder{f'; did you mean {inside}?' if inside.is_file() else ''}"
    alike = difflib.get_close_matches(model.lower(), [*shipped, "auto"], 1)
    hint = f" (did you mean {alike[0]}?)" if alike else ""
    raise WeightsError(f"{model}: {what}{hint}; give a .safetensors file or one of: {names}")


def read_card(path: Path) -> dict[str, Any]:
    """The JSON card beside a weights file; empty where there is none.

    Nor is there where other JSON of that name lies beside weights of somebody's own.

    Raises:
        WeightsError: it cannot be read, or the card of shipped weights is damaged.
    """
    card = path.with_suffix(".json")
    if not card.is_file():
        return {}
    why = "is no card"
    try:
        found = json.loads(card.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        found, why = None, f"the card is damaged ({error})"
    except OSError as error:
        raise WeightsError(f"{card}: {error.strerror}; check its permissions") from error
    if isinstance(found, dict) and found.keys() >= _CARD:
        return found
    if path.parent == data_folder("weights"):
        raise WeightsError(f"{card}: {why}; install again")
    return {}


def _header(path: Path, data: bytes) -> dict[str, str]:
    """The metadata in a safetensors header, checked before any tensor is read."""
    size = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if not 2 <= size <= _HEADER_LIMIT or data[8:9] != b"{":
        if data[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise WeightsError(
                f"{path}: a pickled PyTorch file, which could run code; "
                "only safetensors files are loaded, so save it as one"
            )
        raise WeightsError(f"{path}: not a safetensors file; give weights made by imgclean train")
    try:
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__", {})
    except ValueError as error:
        raise WeightsError(f"{path}: cut short or damaged; get the file again") from error
    if not isinstance(metadata, dict) or "architecture" not in metadata or "config" not in metadata:
        raise WeightsError(f"{path}: does not say its architecture; imgclean did not make it")
    return dict(metadata)


def load_weights(model: str) -> Weights:
    """Load shipped weights by name, or any weights file by path.

    Raises:
        WeightsError: not found, not safetensors, cut short, or not as its card says.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = locate(model)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}; check its permissions") from error
    metadata = _header(path, data)
    digest = hashlib.sha256(data).hexdigest()
    card = read_card(path)
    try:
        state = {name: tensor.float() for name, tensor in load(data).items()}
    except SafetensorError as error:
        raise WeightsError(f"{path}: cut short or damaged ({error}); get it again") from error
    if card.get("sha256", digest) != digest:
        raise WeightsError(f"{path}: differs from its card's SHA-256; get both files again")
    try:
        config = dict(json.loads(metadata["config"]))
    except (ValueError, TypeError) as error:
        raise WeightsError(f"{path}: its configuration is damaged; get it again") from error
    small = {name: state.pop(name) for name in list(state) if name.startswith(_SMALL_PRINT)}
    return Weights(
        path.stem,
        path,
        metadata["architecture"],
        config,
        state,
        card,
        digest,
        {name.removeprefix(_SMALL_PRINT): part for name, part in small.items()} or None,
    )


def save(
    path: Path,
    *,
    architecture: str,
    config: Mapping[str, Any],
    state: "Mapping[str, Tensor]",
    card: Mapping[str, Any],
    small_print: "Mapping[str, Tensor] | None" = None,
) -> None:
    """Write a weights file in half precision (counters as they are), and its card, each whole.

    The `parameters` that the card tells are the model's, of which `small_print` has as many more.

    Raises:
        OutputError: one of them cannot be written.
    """
    from safetensors.torch import save as serialise

    more = {_SMALL_PRINT + name: tensor for name, tensor in (small_print or {}).items()}
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in {**state, **more}.items()
    }
    metadata = {"architecture": architecture, "config": json.dumps(dict(config))}
    data = _ordered(serialise(tensors, metadata=metadata))
    full = {
        "name": path.stem,
        "architecture": architecture,
        "config": dict(config),
        "parameters": sum(tensor.numel() for tensor in state.values()),
        "sha256": hashlib.sha256(data).hexdigest(),
        **card,
    }
    text = json.dumps(full, indent=2, ensure_ascii=False) + "\n"
    told = text.encode(errors="backslashreplace")  # of names that are no valid text, as JSON has it
    for target, content in ((path, data), (path.with_suffix(".json"), told)):
        write_whole(target, content)


def _ordered(data: bytes) -> bytes:
    """The same safetensors file with its header in order: equal weights are equal bytes."""
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    text = header.encode()
    text += b" " * (-len(text) % 8)  # the tensors start at a multiple of eight
    return len(text).to_bytes(8, "little") + text + data[8 + size :]
