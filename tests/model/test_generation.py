"""Continuations in a batch must be those of each prompt alone."""

from __future__ import annotations

import torch


def greedy_alone(model, prompt: list[int], limit: int) -> list[int]:
    """One prompt, the whole sequence computed anew for each token."""
    ids = list(prompt)
    for _ in range(limit):
        with torch.no_grad():
            token = int(model.network(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if token == model.chat.end:
            break
        ids.append(token)
    return ids[len(prompt) :]


def test_greedy_in_a_batch_is_greedy_alone(tiny):
    tiny.network.float()
    prompts = [[5, 6, 7, number] + [8] * (number % 3) for number in range(10, 18)]
    replies = tiny.generate(prompts, 12)
    assert [list(reply.ids) for reply in replies] == [greedy_alone(tiny, prompt, 12) for prompt in prompts]


def test_a_stop_token_ends_a_reply(tiny):
    whole = tiny.generate([[5, 6, 7]], 8)[0].ids
    cut = tiny.generate([[5, 6, 7]], 8, stop=[whole[2]])[0]
    assert cut.finished
    assert cut.ids == whole[: whole.index(whole[2])]


def test_sampling_depends_on_the_seed_alone(tiny):
    prompts = [[5, 6, 7]] * 4
    one = tiny.generate(prompts, 8, temperature=1.0, seed=1)
    assert one == tiny.generate(prompts, 8, temperature=1.0, seed=1)
    assert one != tiny.generate(prompts, 8, temperature=1.0, seed=2)
