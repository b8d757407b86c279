"""Two matrices in, their product out; by halves where oneDNN 3.12 would leave one of two threads idle.

With two threads and AMX it gives a product with about as many rows as columns to one of them, which takes twice as long
as a product a little longer or shorter. Half the rows, or half the columns, have another shape. `benchmarks/halves.py`
measures whether that is still so.
"""

from __future__ import annotations

import functools

import torch


def product(x_NI: torch.Tensor, y_IO: torch.Tensor) -> torch.Tensor:
    """The product, NO; no gradient goes through it."""
    rows, columns = len(x_NI), y_IO.shape[1]
    if x_NI.dtype is torch.bfloat16 and x_NI.is_cpu and leaves_a_thread_idle(rows, columns) and has_two_threads():
        return by_rows(x_NI, y_IO) if 10 * rows < 11 * columns else by_columns(x_NI, y_IO)
    return x_NI @ y_IO


def by_rows(x_NI: torch.Tensor, y_IO: torch.Tensor) -> torch.Tensor:
    """The product as two of half the rows each."""
    made_NO = x_NI.new_empty(len(x_NI), y_IO.shape[1])
    for rows in _halves(len(x_NI)):
        torch.mm(x_NI[rows], y_IO, out=made_NO[rows])
    return made_NO


def by_columns(x_NI: torch.Tensor, y_IO: torch.Tensor) -> torch.Tensor:
    """The product as two of half the columns each."""
    made_NO = x_NI.new_empty(len(x_NI), y_IO.shape[1])
    for columns in _halves(y_IO.shape[1]):
        torch.mm(x_NI, y_IO[:, columns], out=made_NO[:, columns])
    return made_NO


def leaves_a_thread_idle(rows: int, columns: int) -> bool:
    """Whether a whole product of this shape does, as a rule: where exactly depends on the numbers in a row of x too."""
    return 384 <= columns <= 1152 and columns <= rows < min(9 * columns // 4, columns + 700)


def has_two_threads() -> bool:
    """Whether this process multiplies with two threads, and AMX."""
    return torch.get_num_threads() == 2 and _has_matrix_units()


@functools.cache
def _has_matrix_units() -> bool:
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def _halves(count: int) -> tuple[slice, slice]:
    middle = count // 2 // 16 * 16
    return slice(0, middle), slice(middle, count)
