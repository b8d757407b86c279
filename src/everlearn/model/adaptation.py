"""Words in; what of a network may change, and the names of its weights that then have masters, out."""

from __future__ import annotations

from typing import NamedTuple

from everlearn.model import neurons, prefix, slots


class Adaptation(NamedTuple):
    """What may change: all weights, new neurons, a low-rank adapter on linear layers, slots that are looked up, or a
    cartridge that all tokens see."""

    kind: str = "full"
    """`full`, `neurons`, `lora`, `memory` or `cartridge`."""
    size: int = 32
    """Rank of the adapter that a stage trains, or how many neurons each MLP of the upper half, slots each memory or
    tokens a cartridge gets."""
    where: str = "all"
    """Which linear layers carry the adapter: `all`, or `upper`, those in the MLPs of the upper half of the layers."""

    def __str__(self) -> str:
        return {
            "full": "all weights",
            "neurons": f"{self.size} new neurons in each upper layer",
            "lora": f"a LoRA adapter (rank {self.size}, on {self.where} layers)",
            "memory": f"{self.size} slots in each memory",
            "cartridge": f"a cartridge of {self.size} tokens",
        }[self.kind]


MARKS = {"full": "", "neurons": neurons.MARK, "lora": "lora_", "memory": slots.MARK, "cartridge": prefix.MARK}
"""What the names of weights that have masters hold, by what may change."""

TRAINED = {"neurons": neurons.TRAINED, "memory": slots.VALUES}
"""How the names of those of them end that are trained, where not all are."""
