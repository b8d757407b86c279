"""Tokens weigh what their methods say."""

from __future__ import annotations

import math

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.talr import TALR


def test_an_unlikely_token_weighs_less_but_never_nothing():
    nll = torch.tensor([0.0, math.log(16), 100.0])
    assert TALR(temperature=4.0, floor=0.1).weigh(nll, {}, 0).tolist() == pytest.approx([1.0, 0.5, 0.1])
    with pytest.raises(SettingsError):
        TALR(temperature=0)
    with pytest.raises(SettingsError):
        TALR(floor=2)


def test_it_moves_less_on_what_surprises(tiny, learn, nats):
    from everlearn.records import Example, Message

    strange = [Example((Message("user", "a?"), Message("assistant", "\u00e9\u00e9\u00e9", learn=True)))]
    before = nats(tiny, strange)
    learn(tiny, "talr", strange, floor=0.0, temperature=0.2)
    slow = before - nats(tiny, strange)
    tiny.restore(tiny.start())
    learn(tiny, "finetune", strange)
    assert before - nats(tiny, strange) > 2 * slow
