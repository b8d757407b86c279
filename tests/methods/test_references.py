"""What the references keep and where they begin."""

from __future__ import annotations

import pytest
import torch

from everlearn.bench.request import _asked
from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient
from everlearn.methods.full_replay import FullReplay
from everlearn.methods.joint import Joint
from everlearn.methods.solo import Solo
from everlearn.model.language_model import LanguageModel
from everlearn.stacking import method_called

from .conftest import pairs


def same(one, other) -> bool:
    return all(torch.equal(one.masters[name], other.masters[name]) for name in one.masters)


@pytest.fixture
def models(tiny_folder):
    return [LanguageModel.load(str(tiny_folder)) for _ in range(2)]


def test_solo_is_the_same_whatever_came_before(models, learn, nats):
    one, other = models
    memory = learn(one, "solo", pairs("one"), epochs=20)
    known = nats(one, pairs("one"))
    assert learn(one, "solo", pairs("two"), memory) == memory == {}
    learn(other, "finetune", pairs("two"))
    assert same(one, other)
    assert nats(one, pairs("one")) > 2 * known


def test_full_replay_goes_on_and_joint_begins_anew(models, learn):
    one, other = models
    for model, name in ((one, "full_replay"), (other, "joint")):
        memory = learn(model, name, pairs("one"))
        assert learn(model, name, pairs("two"), memory)["examples"] == [*pairs("one"), *pairs("two")]
    assert not same(one, other)
    now = other.snapshot()
    learn(other, "finetune", [*pairs("one"), *pairs("two")], epochs=1)
    one.restore(now)
    learn(one, "full_replay", pairs("two"), {"examples": pairs("one")}, epochs=1)
    assert same(one, other), "from where it was, on everything in one shuffle"


def test_full_replay_and_joint_mix_everything():
    for kind in (FullReplay, Joint):
        mixture = kind().examples(pairs("two"), {"examples": pairs("one")})
        assert list(mixture.fresh) == [*pairs("one"), *pairs("two")] and not mixture.old


def test_references_decide_where_a_stage_begins_alone():
    for pair in ("solo+joint", "joint+full_replay", "replay+full_replay"):
        with pytest.raises(SettingsError):
            method_called(pair)
    assert issubclass(method_called("replay+solo"), Gradient)
    assert Solo().claims


def test_a_bench_has_solo_as_its_reference_and_under_another_name_as_a_method():
    assert _asked(["solo"]) == {"solo": "solo"}
    assert _asked(["apart=solo"]) == {"apart": "solo"}
    with pytest.raises(SettingsError, match="reference"):
        _asked(["solo=finetune"])
