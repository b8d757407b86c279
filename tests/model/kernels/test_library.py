"""Kernels are compiled wherever they can be; where they cannot, plain torch does the same."""

from __future__ import annotations

import shutil

import pytest
import torch

from everlearn.model.kernels import library
from everlearn.model.kernels.adamw import Step, adamw
from everlearn.model.kernels.gated import gated
from everlearn.model.masters import joined, split


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_they_are_compiled_where_there_is_a_compiler():
    assert library.library() is not None


def test_without_a_compiler_plain_torch_does_the_same(monkeypatch):
    sizes = [*[(3,)] * 40, (10, 5)]
    masters, gradients = [torch.randn(size) for size in sizes], [torch.randn(size).bfloat16() for size in sizes]
    gradients[-1] = gradients[-1].T.contiguous().T  # as a projection may leave it
    states = []
    for compiled in (library.library(), None):
        monkeypatch.setattr(library, "library", lambda compiled=compiled: compiled)
        kept = [[part[number] for part in map(split, masters)] for number in (0, 1)]
        moments = [torch.zeros(size).bfloat16() for size in sizes], [torch.zeros(size).bfloat16() for size in sizes]
        for number in (1, 2, 3):
            adamw(*kept, gradients, *moments, Step(0.01, 0.1, number, 0.7))
        moved = list(map(joined, *kept))
        states.append([torch.cat([each.flatten() for each in tensors]) for tensors in (moved, *moments)])
    for one, other in zip(*states, strict=True):
        assert torch.allclose(one.float(), other.float(), atol=1e-6, rtol=1e-2)


def test_a_compiler_that_fails_is_no_obstacle(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", "false")
    monkeypatch.setenv("EVERLEARN_CACHE", str(tmp_path))
    library.library.cache_clear()
    try:
        assert library.library() is None
        assert gated(torch.ones(4).bfloat16(), torch.ones(4).bfloat16()).shape == (4,)
    finally:
        library.library.cache_clear()
