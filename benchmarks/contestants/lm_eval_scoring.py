"""Requests and replies in, what lm-eval's HFLM.loglikelihood finds of each reply out."""

from __future__ import annotations

import torch
from contestants.turns import JOB, Turns
from items import Chat, passage_chats, short_chats
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main() -> None:
    """Score until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    model = HFLM(
        pretrained=JOB["model"],
        dtype=JOB["dtype"],
        batch_size=JOB["batch"],
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
    chats = passage_chats(*JOB["passages"]) if "passages" in JOB else short_chats(JOB["count"])
    chats += [Chat(*chat) for chat in JOB["likely"]]
    while True:
        turns.wait()
        requests = []
        for number, chat in enumerate(chats):
            context = model.apply_chat_template([{"role": "user", "content": chat.prompt}])
            arguments = (context, f"{chat.reply}<|im_end|>")
            requests.append(Instance("loglikelihood", {}, arguments, number))
        outcomes = model.loglikelihood(requests, disable_tqdm=True)
        turns.done(
            len(chats),
            right=sum(bool(greedy) for _, greedy in outcomes),
            logprobs=[float(logprob) for logprob, _ in outcomes],
        )


main()
