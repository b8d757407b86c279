"""Fixed words in, a word-piece tokenizer with a chat format out: known words whole, invented ones by syllables.

Everything is lower case. What is neither a known word nor made of syllables is spelled letter by letter, so that any
ASCII text can be read.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

from everlearn.nonce import SYLLABLES

END, TEXT, UNKNOWN = "<end>", "<text>", "<unknown>"
LINE = "|"
"""What a line break is read as; notes stand above a question in lines."""

ROLES = ("<user>", "<assistant>", "<system>")
SPECIAL = (END, TEXT, UNKNOWN, *ROLES)

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)

CONTEXT = 512
"""Tokens that a text may have."""


def vocabulary(words: Iterable[str]) -> list[str]:
    """Special tokens, characters, syllables, then the known words that none of these is, sorted."""
    signs = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    within = [f"##{piece}" for piece in (*string.ascii_lowercase, *string.digits, *SYLLABLES)]
    fixed = [*SPECIAL, *signs, *within, *SYLLABLES]
    return [*fixed, *sorted(set(words) - set(fixed))]


def make_tokenizer(words: Iterable[str]) -> Any:
    """A transformers tokenizer over these words."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    numbered = {token: number for number, token in enumerate(vocabulary(words))}
    tokenizer = Tokenizer(models.WordPiece(vocab=numbered, unk_token=UNKNOWN, max_input_chars_per_word=60))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace("\n", f" {LINE} ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=TEXT,
        eos_token=END,
        pad_token=END,
        unk_token=UNKNOWN,
        additional_special_tokens=[*ROLES],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = TEMPLATE
    return fast
