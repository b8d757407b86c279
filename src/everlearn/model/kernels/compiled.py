"""A function in plain torch in, the same one out, which a GPU computes in one pass over large tensors.

torch.compile makes it, in seconds: for small tensors that takes longer than it ever saves, and they are left to torch.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from typing import Any, TypeVar

import torch

LARGE = 1 << 23
"""Numbers of a tensor from which on a function of each layer is compiled: a guess between models of 135M and 1B."""

Function = TypeVar("Function", bound=Callable[..., Any])


def one_pass(function: Function) -> Function:
    """The same function of tensors, compiled where its first one is on a GPU and large."""

    @functools.wraps(function)
    def choose(first: torch.Tensor, *others: Any) -> Any:
        return (compiled(function) if pays(first) else function)(first, *others)

    return choose  # type: ignore[return-value]


@functools.cache
def compiled(function: Function) -> Function:
    """The function, to be compiled when it is called."""
    return torch.compile(function)  # type: ignore[return-value]


def pays(*tensors: torch.Tensor, least: int = LARGE) -> bool:
    """Whether they are on a GPU that can be compiled for, and have so many numbers."""
    return all(each.is_cuda for each in tensors) and sum(map(torch.numel, tensors)) >= least and _can_compile()


@functools.cache
def _can_compile() -> bool:
    return importlib.util.find_spec("triton") is not None
