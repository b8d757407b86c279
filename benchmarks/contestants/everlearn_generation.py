"""Requests in, everlearn's greedy replies out."""

from __future__ import annotations

import torch
from contestants.turns import JOB, Turns
from items import short_chats

from everlearn.model.kernels.library import library
from everlearn.model.language_model import LanguageModel
from everlearn.records import Message


def main() -> None:
    """Answer until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    assert torch.cuda.is_available() or library(), "everlearn would compute by plain torch: install a C compiler"
    model = LanguageModel.load(JOB["model"])
    chats = short_chats(JOB["count"])
    while True:
        turns.wait()
        prompts = [model.chat.prompt((Message("user", chat.prompt),)) for chat in chats]
        replies = model.generate(prompts, JOB["limit"])
        texts = [model.chat.text(list(reply.ids)) for reply in replies]
        turns.done(len(chats), tokens=sum(len(reply.ids) for reply in replies), texts=texts)


main()
