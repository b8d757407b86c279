"""Some of a network's bf16 weights in, the same numbers in fp32 out: what optimisers and averages work on.

bf16 alone swallows small updates. A number is kept as the network's weight and the 16 bits that rounding took from it,
which together are exactly fp32; weight and master can never differ by more than that rounding, and no copy of the
weights is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping

import torch

HALF = 0x8000
"""Half of the bf16 weight's last place, in the bits of an fp32 number."""


class Masters(MutableMapping[str, torch.Tensor]):
    """fp32 numbers by the name of their weight.

    To look one up makes a new tensor: to change that changes nothing, `masters[name] = tensor` does, the network's
    weight included.
    """

    def __init__(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Weights of a network (bf16, or fp32, which have nothing beyond them), which will change with the masters."""
        self._weights: dict[str, torch.Tensor] = {}
        self.rests: dict[str, torch.Tensor] = {}
        """What each weight's number has beyond it, in units of the last place of fp32."""
        self.move_to(weights)

    def move_to(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Stand for these weights, under the same names, from here on: an adapter has got others of another size."""
        for name, weight in weights.items():
            if weight.dtype not in (torch.bfloat16, torch.float32):
                raise TypeError(f"{name} is {weight.dtype}; weights that learn must be bf16 or fp32")
        self._weights = dict(weights)
        self.rests = {name: torch.zeros_like(weight, dtype=torch.int16) for name, weight in weights.items()}

    def weight(self, name: str) -> torch.Tensor:
        """The network's own, as it is now."""
        return self._weights[name].data

    def __getitem__(self, name: str) -> torch.Tensor:
        return joined(self.weight(name), self.rests[name])

    def __setitem__(self, name: str, master: torch.Tensor) -> None:
        weight, rest = split(master, self.weight(name).dtype)
        self.weight(name).copy_(weight)
        self.rests[name].copy_(rest)

    def __delitem__(self, name: str) -> None:
        raise TypeError("what may change is chosen once")

    def __contains__(self, name: object) -> bool:
        return name in self._weights  # inherited, it would make the tensor to see whether it is there

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def state(self) -> dict[str, torch.Tensor]:
        """The numbers themselves, not copies, as they are kept."""
        weights = {f"weight:{name}": self.weight(name) for name in self}
        return weights | {f"rest:{name}": rest for name, rest in self.rests.items()}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Set all numbers to a `state`, which may hold other things too."""
        for name, mine in self.state().items():
            mine.copy_(state[name])


def joined(weight: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """The fp32 numbers of bf16 weights and their int16 rests, of any shape; fp32 weights have nothing beyond them."""
    if weight.dtype is torch.float32:
        return weight.clone()
    return ((weight.view(torch.int16).int() << 16) + rest).view(torch.float32)


def split(master: torch.Tensor, dtype: torch.dtype = torch.bfloat16) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest bf16 weights (of two as near the one further from zero) and int16 rests of fp32 numbers."""
    if dtype is torch.float32:
        return master, torch.zeros_like(master, dtype=torch.int16)
    bits = master.contiguous().view(torch.int32)
    upper = (bits + HALF) >> 16
    return upper.to(torch.int16).view(torch.bfloat16), (bits - (upper << 16)).to(torch.int16)
