"""Chats or documents in, optimiser steps of TRL's SFTTrainer out, some of them in each turn."""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from contestants.turns import JOB, Turns
from datasets import Dataset
from items import documents, short_chats
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


def dataset() -> Dataset:
    """What the job asks for; the loss falls on replies alone."""
    if JOB["items"] == "documents":
        return Dataset.from_list([{"text": text} for text in documents(JOB["count"], JOB["words"])])
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": chat.prompt}],
                "completion": [{"role": "assistant", "content": chat.reply}],
            }
            for chat in short_chats(JOB["count"])
        ]
    )


def targets(prepared: Dataset) -> int:
    """How many tokens the loss falls on in all of it."""
    rows = prepared.to_list()
    return sum(sum(label != -100 for label in row.get("labels", row["input_ids"])) for row in rows)


@torch.no_grad()
def opening(network: Any, prepared: Dataset, line_break: int) -> float:
    """Nats of one of the first 16 examples, without the line break behind it; 0 where rows are not single examples."""
    rows = prepared.to_list()[:16]
    if len(prepared) != JOB["count"]:
        return 0.0
    total = 0.0
    for row in rows:
        ids = torch.tensor(row["input_ids"], device=network.device)
        learnt = torch.tensor(row.get("labels", row["input_ids"]), device=network.device) != -100
        learnt[0] = False
        learnt[-1] &= bool(ids[-1] != line_break)
        logits = network(ids[None]).logits[0, :-1].float()
        total += float(torch.nn.functional.cross_entropy(logits[learnt[1:]], ids[1:][learnt[1:]], reduction="sum"))
    return total / len(rows)


class InTurns(TrainerCallback):
    """Stops the trainer between turns."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.rows = self.targets = 0
        """Rows of the prepared dataset, and tokens of it that the loss falls on."""
        self.opening = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Wait for the first turn."""
        self.turns.wait()

    def on_log(self, arguments: Any, state: Any, *_: Any, **__: Any) -> None:
        """Wait again after so many steps; the loss is logged when a step has ended."""
        if state.global_step % JOB["steps"] == 0:
            # packed rows hold more or less than an example
            examples = JOB["rows_per_step"] * JOB["steps"] * JOB["count"] / self.rows
            self.turns.done(examples, opening=self.opening, targets=self.targets / JOB["count"])
            self.turns.wait()


def main() -> None:
    """Train until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    network = AutoModelForCausalLM.from_pretrained(JOB["model"], dtype=getattr(torch, JOB["dtype"]))
    micro, in_turns = JOB["micro"], InTurns(Turns())
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=JOB["rows_per_step"] // micro,
            max_steps=100_000,
            learning_rate=1e-5,
            bf16=JOB["autocast"],
            use_cpu=not torch.cuda.is_available(),
            logging_steps=JOB["steps"],
            save_strategy="no",
            report_to=[],
            seed=0,
            **{"gradient_checkpointing": False, "max_length": 1024, **JOB["more"]},
        )
        adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        trainer = SFTTrainer(
            network,
            settings,
            train_dataset=dataset(),
            processing_class=AutoTokenizer.from_pretrained(JOB["model"]),
            peft_config=adapter if JOB["weights"] == "lora" else None,
            callbacks=[in_turns],
        )
        in_turns.rows, in_turns.targets = len(trainer.train_dataset), targets(trainer.train_dataset)
        (line_break,) = trainer.processing_class.encode("\n", add_special_tokens=False)
        in_turns.opening = opening(trainer.model, trainer.train_dataset, line_break)
        trainer.train()


main()
