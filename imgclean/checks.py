"""Check what scripts pass, where a wrong type would surface as a traceback, or not at all."""

import os
from numbers import Integral, Real
from typing import Any

import numpy as np

from .errors import UsageError

__all__ = ["NO_UNIT", "flag", "fraction", "weights_named", "whole"]

NO_UNIT = 16.0  # floats beyond are on 0 to 255, or on no scale that could be known

_LEAST = {"tile": 64}  # 1 for all others
_UNITS = {"limit_memory": " of bytes", "memory": " of bytes", "max_pixels": " of pixels"}


def whole(name: str, value: Any) -> int:
    """A whole number of Python's or NumPy's as Python's.

    Raises:
        UsageError: it is something else, or less than what goes by this name can be.
    """
    least = _LEAST.get(name, 1)
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        unit = _UNITS.get(name, "")
        raise UsageError(f"{name}={value!r}: give a whole number{unit} from {least}")
    return int(value)


def fraction(name: str, value: Any) -> float:
    """A number from 0 to 1 of Python's or NumPy's as Python's.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise UsageError(f"{name}={value!r}: give a number from 0 to 1")
    return float(value)


def flag(name: str, value: Any) -> bool:
    """True or False of Python's or NumPy's as Python's.

    Raises:
        UsageError: it is something else, such as "no", which Python takes for true.
    """
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{name}={value!r}: give True or False")
    return bool(value)


def weights_named(value: Any) -> str:
    """The name or path of weights as text.

    Raises:
        UsageError: it is neither.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise UsageError(f"model={value!r}: give the name of weights, or a path")
    return os.fspath(value)
