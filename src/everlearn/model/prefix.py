"""A network in, the same network with cartridges out: keys and values in front of every row that no token of it made.

A cartridge is what a text of so many tokens leaves in every layer, its keys and values, which can then be trained (Li
and Liang 2101.00190; Eyuboglu et al. 2506.06266). In front of it stands a token with which all texts begin, whose keys
and values never change: language models leave much of their attention there (2309.17453). Several cartridges stand side
by side behind that token, in the same places: each is as near to a row as if it were alone, and their order means
nothing. A cartridge of zeros is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from everlearn.errors import ModelError

MARK = "cartridge_"
"""What the names of the new weights hold."""

Cartridge = Mapping[str, torch.Tensor]
"""Keys and values of all layers, by the names of their weights."""


class Heads(NamedTuple):
    """Keys and values of P tokens for G heads of D channels."""

    keys_PGD: torch.Tensor
    values_PGD: torch.Tensor

    @classmethod
    def joined(cls, parts: Sequence[Heads]) -> Heads:
        """One behind the other."""
        keys, values = zip(*parts, strict=True)
        return cls(torch.cat(keys), torch.cat(values))


class Prefix(nn.Module):
    """What all tokens of a layer attend to besides their own row."""

    def __init__(self, layer: int, path: str, first: Heads, tokens: int) -> None:
        super().__init__()
        self.layer, self.path = layer, path
        self.first = first
        shape = tokens, *first.keys_PGD.shape[1:]
        self.cartridge_keys = nn.Parameter(first.keys_PGD.new_zeros(shape))
        self.cartridge_values = nn.Parameter(first.keys_PGD.new_zeros(shape))
        self.others: tuple[Heads, ...] = ()
        self.filled = False
        """Whether its own cartridge is one; see `standing`."""

    @property
    def names(self) -> tuple[str, str]:
        """Those of its weights in the network."""
        return f"{self.path}.cartridge_keys", f"{self.path}.cartridge_values"

    def heads(self) -> Heads | None:
        """The first token's, its own cartridge's, and those of the others; None where there is no cartridge."""
        own = (Heads(self.cartridge_keys, self.cartridge_values),) if self.filled else ()
        return Heads.joined((self.first, *own, *self.others)) if own or self.others else None


def add_prefix(network: Any, tokens: int, first: Mapping[int, Heads]) -> None:
    """Give each layer a prefix of so many tokens, in place; `first` has, for each layer, what stands in front of it.

    Raises:
        ModelError: the keys and values of its layers are not to be had.
    """
    found = [(path, one) for path, one in network.named_modules() if getattr(one, "layer_idx", None) in first]
    attentions = [(path, one) for path, one in found if hasattr(one, "k_proj")]
    if not first or len(attentions) != len(first):
        raise ModelError(
            "this model keeps no keys and values that could be trained", "train an adapter instead: --set weights=lora"
        )
    for path, attention in attentions:
        layer = attention.layer_idx
        attention.prefix = Prefix(layer, f"{path}.prefix", first[layer], tokens)


def prefix_size(layers: int, width: int, tokens: int) -> int:
    """How many weights `add_prefix` adds; all key heads together have `width` channels."""
    return 2 * layers * tokens * width


def prefixes(network: Any) -> list[Prefix]:
    """Those of all layers; none where none were added."""
    return [module for module in network.modules() if isinstance(module, Prefix)]


def standing(found: Sequence[Prefix]) -> int:
    """How many tokens stand in front of each row now, and so the position at which it begins: 0 where there is no
    cartridge, else the first token and those of one cartridge."""
    if not found:
        return 0
    filled = bool(found[0].cartridge_keys.any())  # a device is waited for once, not in every layer
    for prefix in found:
        prefix.filled = filled
    return 1 + len(found[0].cartridge_keys) if filled or found[0].others else 0


def seen(found: Sequence[Prefix]) -> int:
    """How many keys all tokens of a row see besides their own, as `standing` left it."""
    if not found or not (found[0].filled or found[0].others):
        return 0
    tokens = len(found[0].cartridge_keys)
    return 1 + tokens * found[0].filled + sum(len(other.keys_PGD) for other in found[0].others)


def stand(found: Iterable[Prefix], others: Sequence[Cartridge]) -> None:
    """Let these cartridges stand beside the one that is trained."""
    for prefix in found:
        keys, values = prefix.names
        like = prefix.cartridge_keys
        prefix.others = tuple(Heads(one[keys].to(like), one[values].to(like)) for one in others)


def beside(attention: Any, key_NGD: torch.Tensor, value_NGD: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values of a line and, behind them, of what all its tokens see besides."""
    prefix = getattr(attention, "prefix", None)
    heads = prefix.heads() if prefix is not None else None
    if heads is None:
        return key_NGD, value_NGD
    return torch.cat([key_NGD, heads.keys_PGD]), torch.cat([value_NGD, heads.values_PGD])
