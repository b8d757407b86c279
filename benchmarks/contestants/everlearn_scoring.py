"""Requests and replies in, whether everlearn finds each reply the most likely one, and its log-probability, out."""

from __future__ import annotations

import torch
from contestants.operations import reading
from contestants.turns import JOB, Turns
from items import Chat, passage_chats, short_chats

from everlearn.model.kernels.library import library
from everlearn.model.language_model import LanguageModel
from everlearn.records import Message, Question


def main() -> None:
    """Score until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    assert torch.cuda.is_available() or library(), "everlearn would compute by plain torch: install a C compiler"
    model = LanguageModel.load(JOB["model"])
    chats = passage_chats(*JOB["passages"]) if "passages" in JOB else short_chats(JOB["count"])
    chats += [Chat(*chat) for chat in JOB["likely"]]
    while True:
        turns.wait()
        before = model.tokens_read
        rows = [
            model.chat.answered(Question((Message("user", chat.prompt),), (chat.reply,)), chat.reply) for chat in chats
        ]
        outcomes = model.force(rows)
        tokens, targets = model.tokens_read - before, sum(row.targets for row in rows)
        turns.done(
            len(chats),
            reading(model.network, tokens, targets),
            tokens=tokens,
            targets=targets,
            right=sum(outcome.right for outcome in outcomes),
            logprobs=[-outcome.nll * row.targets for outcome, row in zip(outcomes, rows, strict=True)],
        )


main()
