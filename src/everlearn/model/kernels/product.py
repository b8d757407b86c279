"""Two matrices in, their product out; in halves where oneDNN 3.12 would leave one of two threads idle.

With two threads and AMX, whole products of about as many rows as columns take twice as long as products a little longer
or shorter (see docs/decisions.md for the figures). Half the rows, or half the columns, have another shape.
"""

from __future__ import annotations

import functools

import torch


def product(x_NI: torch.Tensor, weight_IO: torch.Tensor) -> torch.Tensor:
    """y_NO = x W, without a gradient."""
    N, O = len(x_NI), weight_IO.shape[1]  # noqa: E741
    if not (x_NI.dtype is torch.bfloat16 and x_NI.is_cpu and is_idle(N, O) and has_two_threads_of_matrix_units()):
        return x_NI @ weight_IO
    y_NO = x_NI.new_empty(N, O)
    if 10 * N < 11 * O:
        halves = [(x_NI[rows], weight_IO, y_NO[rows]) for rows in _halves(N)]
    else:
        halves = [(x_NI, weight_IO[:, columns], y_NO[:, columns]) for columns in _halves(O)]
    for left, right, out in halves:
        torch.mm(left, right, out=out)
    return y_NO


def is_idle(rows: int, columns: int) -> bool:
    """Whether one of two threads would have nothing to do, as measured for 576 to 4096 numbers in a row of x."""
    return 384 <= columns <= 1152 and columns <= rows < min(9 * columns // 4, columns + 700)


def has_two_threads_of_matrix_units() -> bool:
    """Whether this process multiplies matrices with two threads and AMX."""
    return torch.get_num_threads() == 2 and _has_matrix_units()


@functools.cache
def _has_matrix_units() -> bool:
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def _halves(count: int) -> tuple[slice, slice]:
    middle = count // 2 // 16 * 16
    return slice(0, middle), slice(middle, count)
