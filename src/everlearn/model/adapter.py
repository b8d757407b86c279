"""A network in, the same network with a LoRA adapter on every linear layer out (Hu et al. 2021, by PEFT)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

ALPHA_PER_RANK = 2
"""LoRA's alpha is this times the rank, so that one learning rate fits all ranks (2106.09685, section 4.1)."""


def add_adapter(network: Any, rank: int) -> Any:
    """The network wrapped by PEFT; its adapter starts as the identity and lies in the network's own dtype."""
    import torch
    from peft import get_peft_model

    with torch.random.fork_rng():
        torch.manual_seed(0)  # every process starts from the same adapter, or no run could be resumed
        return get_peft_model(network, _config(rank), autocast_adapter_dtype=False)


def save_adapter(network: Any, folder: Path) -> None:
    """Write the adapter as a directory that PEFT loads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the hub is not asked for the base's config
        network.save_pretrained(folder, safe_serialization=True)


def merged(network: Any) -> Any:
    """The plain network with the adapter added to its weights."""
    return network.merge_and_unload()


def _config(rank: int) -> Any:
    from peft import LoraConfig

    return LoraConfig(r=rank, lora_alpha=ALPHA_PER_RANK * rank, target_modules="all-linear", task_type="CAUSAL_LM")
