"""On a small model, where continual-learning frameworks are at home: are our steps with replay ahead of those of
Avalanche and of mammoth?

    .venv/bin/python benchmarks/small_model.py

A Llama of 6 layers and 192 channels (2.5M weights) learns to name the class of a string of 12 letters: 32 new examples
a step and 32 from the buffer for all. The peers get the same network from transformers, in fp32 or bf16, and the tokens
as tensors; they compute the logits of the last position alone. Ours also learns to end its reply.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import torch
from contest import THREADS, Contestant, alternate, options, quicker, sweep
from environments import OURS, packages, peers, sources
from findings import Finding, write
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

MAMMOTH = "https://github.com/aimagelab/mammoth", "e75a491c69fd729edeb01431afb753d9157d9a81"
TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}<|end|>{% endfor %}{% if add_generation_prompt %}{% endif %}"
)


def write_model(folder: Path) -> None:
    """A random Llama with a byte-level vocabulary."""
    tokens = ["<|start|>", "<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    whole = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=whole, eos_token="<|end|>", pad_token="<|end|>")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokens),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=3,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        eos_token_id=1,
        pad_token_id=1,
    )
    LlamaForCausalLM(config).bfloat16().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    """Take turns and write."""
    rounds = options().rounds
    field = peers("peers_of_the_field.txt")
    mammoth = sources(*MAMMOTH)
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder))
        job = {"model": folder, "threads": THREADS, "count": 2048, "rows": 32, "steps": 10}
        contestants = [Contestant("everlearn", "everlearn_small.py", OURS, job)]
        swept: dict[str, object] = {}
        for name, script in (("Avalanche, Replay", "avalanche_small.py"), ("mammoth, er", "mammoth_small.py")):
            settings = [{**job, "mammoth": str(mammoth), "dtype": dtype} for dtype in ("float32", "bfloat16")]
            peer = [Contestant(f"{name}, {each['dtype']}", script, field, each) for each in settings]
            found = sweep(peer, contestants[0])
            contestants.append(found.best)
            swept |= found.relative
        turns = alternate(contestants, rounds)
    mine = turns.pop("everlearn")
    findings = [Finding("new examples a second", name, quicker(mine, taken), 1.0) for name, taken in turns.items()]
    speeds = {name: round(statistics.median(turn.speed for turn in taken)) for name, taken in turns.items()}
    ours = round(statistics.median(turn.speed for turn in mine))
    write(
        "Steps on a small model",
        findings,
        {
            "swept, speed relative to everlearn's beside it": swept,
            "new examples a second": {"everlearn": ours, **speeds},
            "not the same": "the peers' torch is later; mammoth fills its buffer in each step, everlearn at the end",
        },
        [*packages("peers_of_the_field.txt"), f"mammoth at {MAMMOTH[1][:8]}"],
    )


if __name__ == "__main__":
    main()
