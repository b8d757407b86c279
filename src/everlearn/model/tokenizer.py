"""A model name in, its chat format out, without loading the weights."""

from __future__ import annotations

from typing import Any

from everlearn.errors import ModelError
from everlearn.model.cache import model_directory
from everlearn.model.chat import Chat


def chat_format(name: str) -> Chat:
    """The tokenizer, chat template and context of the model called `name`.

    Raises:
        ModelError: the model cannot be found or fetched, or it has no usable tokenizer.
    """
    from transformers import AutoConfig, AutoTokenizer

    folder = model_directory(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"could not read the tokenizer of {name}: {reason}", "a transformers directory is needed"
        ) from None
    return Chat(tokenizer, usable_context(config))


def usable_context(config: Any) -> int:
    """Tokens that a text may have: within a sliding window, attention is full.

    Raises:
        ModelError: the model has no such limit, as those without attention.
    """
    context, window = getattr(config, "max_position_embeddings", None), getattr(config, "sliding_window", None)
    if context is None:
        raise ModelError(
            f"a {config.model_type} does not say how long its texts may be", "take a decoder with attention"
        )
    return min(context, window) if window else int(context)
