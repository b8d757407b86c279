"""A model's changed weights in, a small set of tensors out, and back: exactly what a commit stores.

An adapter or new neurons are stored as they are, in fp32; of slots only those that hold something. Changed full weights
are stored as their difference to the base in 8 bits with one scale per row: a quarter of a whole model. A commit *is*
what its delta decodes to: the model is set to it before the exam, so nothing is examined that is not stored.
"""

from __future__ import annotations

import json
from collections import defaultdict

import torch

from everlearn.errors import StoreError
from everlearn.model.adaptation import Adaptation
from everlearn.model.adapter import ALPHA_PER_RANK, FIRST, SECOND
from everlearn.model.language_model import LanguageModel
from everlearn.model.layers import layer_of
from everlearn.model.slots import VALUES

LEVELS = 127

COMPARED = {"neurons": "grown_out", "memory": VALUES}
"""How the names of weights end whose distance says how far versions are apart, where not all do."""


def encode_delta(model: LanguageModel) -> bytes:
    """The masters' difference to the base as safetensors; the model is set to what these decode to."""
    from safetensors.torch import save

    start = model.start()
    tensors: dict[str, torch.Tensor] = {}
    for name, master in model.masters.items():
        if model.adaptation.kind == "full":
            tensors.update(_quantised(name, (master - start[name]).cpu()))
        elif name.endswith(VALUES):
            tensors.update(_filled(name, master.cpu()))
        else:
            tensors[name] = master.cpu().contiguous()
    data: bytes = save(tensors, metadata=_metadata(model))
    decode_delta(model, data)
    return data


def decode_delta(model: LanguageModel, data: bytes) -> None:
    """Set the model to the base plus a stored delta.

    Raises:
        StoreError: the delta belongs to another base.
    """
    from safetensors.torch import load

    metadata = read_metadata(data)
    if metadata["base"] != model.digest:
        raise StoreError(
            f"these weights belong to the base {metadata['base'][:12]}, not to {model.digest[:12]}",
            "open the store with the model it was made with: everlearn show base",
        )
    model.adapt(Adaptation(metadata["kind"], int(metadata["size"]), metadata["where"]))
    restored = _restored(load(data), model.start(), model.adaptation.kind)
    if restored.keys() != model.masters.keys():
        raise StoreError(
            "these weights were written by a version that kept them in another form",
            "learn the stages anew, or open the store with that version",
        )
    model.restore(restored)


def read_metadata(data: bytes) -> dict[str, str]:
    """Base digest of a stored delta, and what it changes."""
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["everlearn"])
    return metadata


def layer_distances(model: LanguageModel, one: bytes, other: bytes) -> dict[str, float]:
    """Euclidean distance between two versions' weights, by layer; empty bytes stand for the base.

    Of new neurons and slots their values are compared: these are zero in the base, while keys are there from the start.
    """
    from safetensors.torch import load

    start = model.start()
    kind = model.adaptation.kind
    versions = [_restored(load(data), start, kind) if data else start for data in (one, other)]
    changes = [_products(version) if kind == "lora" else version for version in versions]
    squares: dict[str, float] = defaultdict(float)
    for name in (name for name in changes[0] if name.endswith(COMPARED.get(kind, ""))):
        squares[_layer(name)] += float((changes[1][name] - changes[0][name]).square().sum())
    return {layer: square**0.5 for layer, square in sorted(squares.items(), key=lambda pair: _order(pair[0]))}


def _quantised(name: str, delta: torch.Tensor) -> dict[str, torch.Tensor]:
    rows = delta.reshape(delta.shape[0], -1) if delta.dim() > 1 else delta[None]
    scale = rows.abs().amax(1, keepdim=True) / LEVELS
    codes = torch.where(scale > 0, rows / scale.clamp(min=1e-30), 0.0).round().to(torch.int8)
    return {f"codes:{name}": codes, f"scale:{name}": scale}


def _restored(stored: dict[str, torch.Tensor], start: dict[str, torch.Tensor], kind: str) -> dict[str, torch.Tensor]:
    if kind != "full":
        return _with_empty(stored, start)
    masters = {}
    for name, first in start.items():
        delta = stored[f"codes:{name}"].float() * stored[f"scale:{name}"]
        masters[name] = first + delta.reshape(first.shape).to(first.device)
    return masters


def _filled(name: str, master_SD: torch.Tensor) -> dict[str, torch.Tensor]:
    """The slots that hold something, and which they are."""
    which = master_SD.any(1).nonzero()[:, 0]
    return {f"which:{name}": which.int(), f"filled:{name}": master_SD[which]}


def _with_empty(stored: dict[str, torch.Tensor], start: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What was stored, with all slots again, the empty ones too."""
    masters = {}
    for name, tensor in stored.items():
        kind, _, of = name.partition(":")
        if kind == "filled":
            masters[of] = torch.zeros_like(start[of], device=tensor.device)
            masters[of][stored[f"which:{of}"].long()] = tensor
        elif kind != "which":
            masters[name] = tensor
    return masters


def _products(adapter: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What an adapter adds to each weight matrix: its factors alone say nothing, as many pairs have one product."""
    return {
        name: ALPHA_PER_RANK * second @ adapter[name.replace(SECOND, FIRST)]
        for name, second in adapter.items()
        if SECOND in name
    }


def _metadata(model: LanguageModel) -> dict[str, str]:
    """One entry only: safetensors writes several in random order, and equal weights must have equal digests."""
    kind, size, where = model.adaptation
    described = {"base": model.digest, "kind": kind, "size": str(size), "where": where}
    return {"everlearn": json.dumps(described, sort_keys=True)}


def _layer(name: str) -> str:
    number = layer_of(name)
    if number is not None:
        return f"layer {number}"
    return "embedding" if "embed" in name else "norm and head"


def _order(layer: str) -> tuple[int, int]:
    if layer.startswith("layer"):
        return 1, int(layer.split()[1])
    return (0 if layer == "embedding" else 2), 0
