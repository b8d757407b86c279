"""Continuations in a batch must be those of each prompt alone."""

from __future__ import annotations

import copy

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
    alone = [greedy_alone(tiny, prompt, 12) for prompt in prompts]
    assert [list(reply.ids) for reply in tiny.generate(prompts, 12)] == alone


def test_each_token_in_bf16_is_as_likely_as_any(tiny):
    """Rounding may choose between tokens that are about as likely, and between no others."""
    prompts = [[5, 6, 7, number] + [8] * (number % 3) for number in range(10, 26)]
    replies = tiny.generate(prompts, 12)
    exact = copy.deepcopy(tiny.network).float()
    for prompt, reply in zip(prompts, replies, strict=True):
        assert len(reply.ids) > 4
        logits_TV = exact(input_ids=torch.tensor([[*prompt, *reply.ids]])).logits[0, len(prompt) - 1 : -1]
        chosen_T = logits_TV.gather(1, torch.tensor(reply.ids)[:, None])[:, 0]
        assert (logits_TV.amax(-1) - chosen_T).max() <= 0.03 * logits_TV.abs().max()


def test_rows_that_end_early_leave_the_others_as_they_are(tiny):
    """Rows end at different steps, some are dropped from the batch, some wait in it."""
    tiny.network.float()
    prompts = [[5, 6, 7, number] for number in range(10, 34)]
    alone = [greedy_alone(tiny, prompt, 12) for prompt in prompts]
    stops = sorted({ids[2] for ids in alone if len(ids) > 2})[:2]
    replies = tiny.generate(prompts, 12, stop=stops)
    ends = set()
    for reply, ids in zip(replies, alone, strict=True):
        end = next((at for at, token in enumerate(ids) if token in stops), len(ids))
        assert list(reply.ids) == ids[:end]
        ends.add(end)
    assert len(ends) > 1


def test_prompts_without_a_shared_beginning(tiny):
    tiny.network.float()
    prompts = [[number, 6, 7] + [8] * (number % 4) for number in range(10, 18)]
    alone = [greedy_alone(tiny, prompt, 8) for prompt in prompts]
    assert [list(reply.ids) for reply in tiny.generate(prompts, 8)] == alone


def test_scoring_after_generating_uses_its_own_attention_again(tiny):
    from test_packing import rows_of

    from everlearn.model.packing import pack

    before = tiny.logits(pack(rows_of(2)))
    tiny.generate([[5, 6, 7], [5, 6, 8]], 4)
    assert torch.equal(tiny.logits(pack(rows_of(2))), before)


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
