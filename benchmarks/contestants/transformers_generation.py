"""Requests in, greedy replies of transformers' generate out, in batches of one size."""

from __future__ import annotations

import torch
from contestants.turns import JOB, Turns
from items import short_chats
from transformers import AutoModelForCausalLM, AutoTokenizer


@torch.inference_mode()
def main() -> None:
    """Answer until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = AutoTokenizer.from_pretrained(JOB["model"], padding_side="left")
    network = AutoModelForCausalLM.from_pretrained(JOB["model"], dtype=torch.bfloat16).to(device)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    chats = short_chats(JOB["count"])
    while True:
        turns.wait()
        prompts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": chat.prompt}], tokenize=False, add_generation_prompt=True
            )
            for chat in chats
        ]
        # batches of prompts of about the same length waste the least padding
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        texts, tokens = [""] * len(prompts), 0
        for at in range(0, len(order), JOB["batch"]):
            chosen = order[at : at + JOB["batch"]]
            asked = tokenizer([prompts[index] for index in chosen], return_tensors="pt", padding=True).to(device)
            made = network.generate(
                **asked,
                **JOB["more"],
                max_new_tokens=JOB["limit"],
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
            replies = made[:, asked["input_ids"].shape[1] :]
            tokens += int((replies != tokenizer.pad_token_id).sum())  # ends of replies and what fills the batch up
            said = tokenizer.batch_decode(replies, skip_special_tokens=True)
            for index, text in zip(chosen, said, strict=True):
                texts[index] = text.strip()
        turns.done(len(chats), tokens=tokens, texts=texts)


main()
