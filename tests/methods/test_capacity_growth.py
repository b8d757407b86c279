"""What earlier stages got stays as it is; what a new one gets is chosen, or mixed, by no stage's name."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from everlearn.bench.learning import keep_weights
from everlearn.errors import SettingsError
from everlearn.methods._routed import ROUTER, by_stage, first_request, part
from everlearn.methods.heads import topmost
from everlearn.methods.lora_soup import LoRASoup, Mixing, mixed_steps
from everlearn.methods.o_lora import OLoRA, overlap
from everlearn.model import language_model
from everlearn.model.adaptation import Adaptation
from everlearn.model.adapter import part_of, side_by_side
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import fit
from everlearn.train.meter import Meter
from everlearn.train.optimiser import Optimisation
from everlearn.train.ridge import Ridge
from everlearn.train.run import Run

from .conftest import QUICK, pairs, text

SMALL = {"anchors": 16, "anchor_length": 16, "features": 128}
LORA = {"rank": 4, "learning_rate": 1e-2}


def equal(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# --- o_lora --------------------------------------------------------------------------------------------


def test_the_overlap_is_the_papers_by_hand():
    first = torch.nn.Parameter(torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0], [3.0, -1.0, 2.0]]))
    second = torch.nn.Parameter(torch.tensor([[5.0, 5.0, 3.0], [5.0, 5.0, 4.0]]))
    adapter = {"x.lora_A.weight": first, "x.lora_B.weight": second}
    # the new row (3, -1, 2) with the two old ones: 3 - 2 = 1, and -1 + 2 = 1
    assert float(overlap(adapter, 2, 0.5, 0.0)) == pytest.approx(0.5 * 2)
    assert float(overlap(adapter, 2, 0.5, 0.1)) == pytest.approx(0.5 * 2 + 0.1 * (14**0.5 + 5))
    overlap(adapter, 2, 0.5, 0.0).backward()
    assert first.grad.tolist() == [[0, 0, 0], [0, 0, 0], [0.5, 1.5, 0.5]]
    assert overlap(adapter, 0, 0.5, 0.0) is None


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_old_adapters_do_not_move(tiny, learn, optimiser):
    settings = {**LORA, "optimiser": optimiser, "tail": 0.5}
    old = {}
    for number, word in enumerate(("one", "two", "three")):
        assert learn(tiny, "o_lora", pairs(word), **settings) == {}
        now = tiny.snapshot()
        assert tiny.rank == 4 * (number + 1)
        assert equal(part_of(now, slice(4 * number)), old or part_of(now, slice(0)))
        new = part_of(now, slice(4 * number, None))
        assert all(bool(each.any()) for each in new.values())
        old = now
    assert learn(tiny, "o_lora", [], **settings) == {}
    assert equal(tiny.snapshot(), old)


def test_new_directions_keep_off_the_old_ones(tiny_folder, learn):
    left = []
    for strength in (0.0, 0.5):
        model = LanguageModel.load(str(tiny_folder))
        learn(model, "o_lora", pairs("one"), **LORA)
        learn(model, "o_lora", pairs("two"), **LORA, strength=strength, epochs=10)
        left.append(float(overlap(model.weights(), 4, 1.0, 0.0)))
    assert left[1] < 0.3 * left[0]


def test_moments_of_other_ranks_are_examined_one_after_the_other(tiny, tiny_folder, tmp_path, learn, nats):
    told, files = [], []
    for number, word in enumerate(("one", "two")):
        learn(tiny, "o_lora", pairs(word), **LORA)
        told.append(nats(tiny, pairs("one")))
        files.append(tmp_path / keep_weights(tiny, tmp_path, f"weights-{number}"))
    examined = LanguageModel.load(str(tiny_folder))
    examined.adapt(Adaptation(*tiny.adaptation))
    for file, wanted in (*zip(files, told, strict=True), (files[0], told[0])):
        examined.restore({name: each.float() for name, each in load_file(file).items()})
        assert nats(examined, pairs("one")) == pytest.approx(wanted, abs=1e-3)


def test_what_compares_weight_by_weight_is_refused():
    for name in ("ewc", "ema", "wise_ft", "gpm", "l2_sp"):
        with pytest.raises(SettingsError, match="adds weights"):
            method_called(f"{name}+o_lora")
    with pytest.raises(SettingsError, match="both decide"):
        method_called("o_lora+lora_soup")
    with pytest.raises(SettingsError, match="weights is 'full'"):
        OLoRA(weights="full")


def test_it_stacks_with_replay(tiny, learn):
    memory = learn(tiny, "replay+o_lora", pairs("one"), **LORA)
    assert set(memory) == {"replay.examples"}
    old = tiny.snapshot()
    learn(tiny, "replay+o_lora", pairs("two"), memory, **LORA)
    assert equal(part_of(tiny.snapshot(), slice(4)), old)


# --- routed --------------------------------------------------------------------------------------------


def routed(model, memory, method, prompts) -> list[int]:
    """For each prompt the number of its stage."""
    untaught = method_called(method)(**SMALL).untaught(model, memory)
    now = model.snapshot()
    model.restore(untaught)
    groups = by_stage(model, prompts, Ridge.of(memory[ROUTER]), 0.01)
    model.restore(now)
    return [number for at in range(len(prompts)) for number, group in groups.items() if at in group]


def held_out(model, word: str) -> list[tuple[int, ...]]:
    return [model.chat.example(example).prompt for example in pairs(f"{word} 1")]


@pytest.mark.parametrize("name", ["lora_bank", "heads"])
def test_each_stage_answers_what_is_like_it_and_the_start_model_all_else(tiny_folder, learn, nats, name):
    model = LanguageModel.load(str(tiny_folder))
    settings = SMALL | ({"layers": 1} if name == "heads" else LORA)
    base = {word: nats(model, pairs(word)) for word in ("one", "two")}
    memory = {}
    for word in ("one", "two"):
        memory = learn(model, name, pairs(word), memory, **settings, epochs=10)
    assert equal(model.snapshot(), model.start()), "the start model is left"
    # questions that were not trained on
    assert routed(model, memory, name, held_out(model, "one")).count(1) >= 7
    assert routed(model, memory, name, held_out(model, "two")).count(2) >= 7
    general = [(0, *written) for written in torch.randint(2, 250, (16, 12)).tolist()]
    assert routed(model, memory, name, general).count(0) >= 12
    assert routed(model, memory, name, [(0,)]) == [0], "what asks nothing"
    method = method_called(name)(**settings)
    method.serve(model, memory)
    served = {word: nats(model, pairs(word)) for word in base}
    model.serve(None)
    assert equal(model.snapshot(), model.start())
    for number, word in ((1, "one"), (2, "two")):
        model.restore({key: each.float() for key, each in memory[part(number)].items()})
        assert served[word] == pytest.approx(nats(model, pairs(word)), abs=0.05)
        model.restore(model.start())
        assert served[word] < base[word] - 0.5


def test_earlier_parts_are_not_touched_and_every_stage_begins_at_the_start(tiny, learn):
    first = learn(tiny, "lora_bank", pairs("one"), **SMALL, **LORA)
    assert {each.dtype for each in first[part(1)].values()} == {torch.bfloat16}
    second = learn(tiny, "lora_bank", pairs("two"), first, **SMALL, **LORA)
    assert equal(second[part(1)], first[part(1)])
    alone = learn(tiny, "lora_bank", pairs("two"), {}, **SMALL, **LORA)
    assert equal(alone[part(1)], second[part(2)])
    assert learn(tiny, "lora_bank", [], second, **SMALL, **LORA) == second


# --- scoped --------------------------------------------------------------------------------------------

SCOPED = {"requests": 64, "request_length": 16}


def test_what_is_like_a_lesson_gets_the_taught_weights_and_all_else_exactly_the_start_models(tiny_folder, learn, nats):
    model = LanguageModel.load(str(tiny_folder))
    draw = torch.Generator().manual_seed(0)
    general = [(0, *written) for written in torch.randint(2, 250, (16, 12), generator=draw).tolist()]
    said = model.generate(general, 4)
    memory = {}
    for word in ("one", "two"):
        memory = learn(model, "scoped", pairs(word), memory, **SCOPED, epochs=10)
    taught = model.snapshot()
    taught_nats = {word: nats(model, pairs(word)) for word in ("one", "two")}
    assert [reply.ids for reply in model.generate(general, 4)] != [reply.ids for reply in said]
    method = method_called("scoped")(**SCOPED)
    method.serve(model, memory)
    assert [reply.ids for reply in model.generate(general, 4)] == [reply.ids for reply in said]
    for word, wanted in taught_nats.items():
        assert nats(model, pairs(word)) == pytest.approx(wanted, abs=0.05)
    (inside,) = [group for group in method.routes(model, [(0,), *held_out(model, "one")], memory) if 1 in group]
    assert inside == list(range(1, 9)), "what asks nothing is about no lesson"
    model.serve(None)
    doubting = method_called("scoped")(**SCOPED, evidence=1e9)
    assert list(doubting.routes(model, held_out(model, "one"), memory)) == [list(range(8))]
    assert equal(model.snapshot(), taught)


def test_the_scope_is_told_nothing_but_prompts(tiny, learn):
    """The same lessons as other stages, files and examples: the same is counted."""
    kept = []
    for order in ((("one",), ("two", "three")), (("three", "two", "one"),)):
        memory = {}
        for words in order:
            lesson = [example for word in words for example in pairs(word)]
            memory = learn(tiny, "scoped", lesson, memory, **SCOPED)
        kept.append({name: tensor for name, tensor in memory["scope"].items() if name != "enough"})
    assert equal(kept[0], kept[1])


def test_the_scope_begins_with_the_start_models_own_requests(tiny_folder, learn):
    """Whenever that is: a taught model is put back for it, and is afterwards what it was."""
    scopes = []
    for before in ([], pairs("two")):
        model = LanguageModel.load(str(tiny_folder))
        if before:
            learn(model, "finetune", before, epochs=10)
        scopes.append(learn(model, "scoped", pairs("one"), **SCOPED)["scope"])
    assert all(torch.equal(one, scopes[1][name]) for name, one in scopes[0].items() if name.startswith("others"))
    assert "scope" not in learn(model, "scoped", [], {}, **SCOPED)
    with pytest.raises(SettingsError, match="requests is 7"):
        method_called("scoped")(requests=7)


def test_the_start_models_weights_are_read_once_while_it_serves(tiny_folder, learn, monkeypatch):
    model = LanguageModel.load(str(tiny_folder))
    memory = learn(model, "scoped", pairs("one"), **SCOPED)
    read, reads = language_model._network, []
    monkeypatch.setattr(language_model, "_network", lambda name: reads.append(name) or read(name))
    method_called("scoped")(**SCOPED).serve(model, memory)
    for _ in range(3):
        model.generate(held_out(model, "one"), 2)
    assert len(reads) == 1
    model.serve(None)
    model.start()
    assert len(reads) == 2, "none is kept while training needs the room"


def test_it_replays_and_stacks_with_what_neither_replays_nor_chooses(tiny, learn):
    name = "scoped+spaced_repetition"
    memory = learn(tiny, name, pairs("one"), **SCOPED)
    assert set(memory) == {"scoped.scope", "scoped.examples"}
    method = method_called(name)(**SCOPED)
    assert method.chooses() and method.examples(pairs("two"), memory).old == memory["scoped.examples"]
    groups = list(method.routes(tiny, held_out(tiny, "one"), memory))
    assert sorted(number for group in groups for number in group) == list(range(8))
    for other, decided in (("lora_bank", "which weights answer"), ("replay", "which earlier examples")):
        with pytest.raises(SettingsError, match=f"both decide {decided}"):
            method_called(f"scoped+{other}")


def test_what_a_text_asks_is_what_a_user_would_say(tiny):
    chat = tiny.chat
    assert "zorb" in tiny.tokenizer.decode(chat.cue(text("zorb")))
    assert chat.cue(text("zorb"))[-len(chat.turn_of("assistant")) :] == chat.turn_of("assistant")
    assert chat.cue(pairs("one")[0]) == chat.prompt(pairs("one")[0].messages[:1])
    assert first_request((1, 2, 8, 9, 3, 8, 9, 4), (8, 9)) == (1, 2, 8, 9)
    assert first_request((1, 2), (8, 9)) == (1, 2)


def test_a_head_is_the_topmost_layers_and_the_last_norm(tiny, learn):
    names = [
        "model.embed_tokens.weight",
        "model.layers.8.a",
        "model.layers.9.a",
        "model.layers.10.a",
        "model.norm.weight",
    ]
    assert topmost([*names, "lm_head.weight"], 2) == names[2:]
    moved = []

    class Watched(method_called("heads")):
        def finish(self, model, examples, memory, run):
            start = model.start()
            moved.extend(key for key in start if not torch.equal(model.masters[key], start[key]))
            return super().finish(model, examples, memory, run)

    memory = learn(tiny, Watched, pairs("one"), **SMALL, layers=1)
    assert set(moved) == set(topmost(list(tiny.masters), 1)) == memory[part(0)].keys()
    assert all("layers.0." not in key and "embed" not in key for key in moved)


def test_what_answers_by_other_weights_stands_alone():
    with pytest.raises(SettingsError, match="both decide"):
        method_called("lora_bank+heads")
    for name, settings in (("heads", {"weights": "lora"}), ("lora_bank", {"weights": "full"}), ("heads", {"ridge": 0})):
        with pytest.raises(SettingsError):
            method_called(name)(**settings)


# --- lora_soup -----------------------------------------------------------------------------------------


def watched(trained: list):
    class Watched(LoRASoup):
        def finish(self, model, examples, memory, run):
            trained.append(model.snapshot())
            return super().finish(model, examples, memory, run)

    return Watched


def test_only_the_scalars_of_whole_adapters_are_mixed(tiny, learn):
    trained, meter = [], Meter(1)
    method = watched(trained)
    memory = learn(tiny, method, pairs("one"), **LORA)
    assert equal(tiny.snapshot(), trained[0]), "one adapter is not mixed with anything"
    memory = learn(tiny, method, pairs("two"), memory, **LORA, meter=meter)
    mixed, whole = tiny.snapshot(), side_by_side(*trained)
    scalars = []
    for name, matrix in mixed.items():
        if "lora_A" in name:
            assert torch.equal(matrix, whole[name])
        else:
            for stage in (slice(4), slice(4, 8)):
                scale = matrix[:, stage] / whole[name][:, stage]
                assert torch.allclose(scale, scale.median(), atol=1e-3)
                scalars.append(float(scale.median()))
    assert min(scalars) < 0.99
    assert max(scalars) > 1.01
    assert meter.tokens["replayed"] > 0
    assert [len(memory[key]) for key in sorted(memory)] == [8, 8]
    assert learn(tiny, "lora_soup", [], memory, **LORA) == memory
    assert equal(tiny.snapshot(), mixed)


def test_the_scalars_slope_is_that_of_the_loss(tiny, learn):
    learn(tiny, "finetune", pairs("one"), weights="lora", rank=8, learning_rate=1e-2, epochs=2, least_steps=1)
    mixing = Mixing(tiny, 4, 1, 1.0)
    batch = pack([tiny.chat.example(example) for example in pairs("two")])

    def loss() -> torch.Tensor:
        logits_NV = tiny.logits(batch).float()
        return torch.nn.functional.cross_entropy(logits_NV, batch.targets_N, reduction="sum")

    loss().backward()
    gradients = {key: weight.grad for key, weight in tiny.weights().items()}
    mixing.project(tiny, gradients, 0)
    assert gradients == {}
    # early in training, where the loss is steep, and of all layers' first adapter together: bf16 tells no small change
    slope = sum(float(mean_S[0]) for mean_S in mixing.means.values()) / 0.1
    told = []
    with torch.no_grad():
        for scalar in (0.8, 1.2):
            for name, second_OR in mixing.seconds.items():
                tiny.masters[name] = second_OR * torch.tensor([scalar] * 4 + [1.0] * 4)
            told.append(float(loss()))
    assert slope == pytest.approx((told[1] - told[0]) / 0.4, rel=0.1)


def test_what_harms_is_mixed_out(tiny, learn, nats, tmp_path):
    learn(tiny, "finetune", pairs("one"), weights="lora", rank=8, learning_rate=1e-2, epochs=20)
    good = nats(tiny, pairs("one"))
    turned = torch.tensor([1.0] * 4 + [-2.0] * 4)  # the second half says the opposite
    tiny.restore({name: each * turned if "lora_B" in name else each for name, each in tiny.snapshot().items()})
    bad = nats(tiny, pairs("one"))
    steps = mixed_steps(tiny, [pairs("one")], 30, 8, 0)
    meter = Meter(1)
    fit(tiny, steps, Mixing(tiny, 4, 30, 0.2), Optimisation(1.0), Run(0, meter, Checkpoints(tmp_path, meter, None)))
    assert nats(tiny, pairs("one")) < bad - 0.7 * (bad - good)


def test_a_crash_while_mixing_changes_nothing(tiny, learn, tmp_path, monkeypatch):
    memory = learn(tiny, "lora_soup", pairs("one"), **LORA)
    begun, save = tiny.snapshot(), Checkpoints.save

    def crashing(self, step, tensors):
        save(self, step, tensors)
        if self.folder.name == "mixing" and step == 3:
            raise KeyboardInterrupt

    def stage(folder) -> dict[str, torch.Tensor]:
        tiny.restore(begun)
        meter = Meter(1)
        run = Run(0, meter, Checkpoints(tmp_path / folder, meter, 0.0))
        LoRASoup(**QUICK | LORA, mixing_steps=6).learn(tiny, pairs("two"), memory, run)
        return tiny.snapshot() | {"replayed": torch.tensor(meter.tokens["replayed"])}

    whole = stage("whole")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Checkpoints, "save", crashing)
        stage("crashed")
    assert equal(stage("crashed"), whole)


def test_rows_of_all_stages_come_in_turn(tiny):
    steps = mixed_steps(tiny, [pairs("one"), pairs("two"), pairs("six")], 3, 4, 0)
    said = [[example.messages[0].content[:3] for example in step.examples] for step in steps]
    assert [sorted(set(words)) for words in said] == [["one", "six", "two"]] * 3
    assert [step.replayed for step in steps] == [3, 3, 2]
    assert all("six" not in words[-step.replayed :] for words, step in zip(said, steps, strict=True))


@pytest.mark.parametrize("evidence", [-0.1, float("nan"), float("inf")])
def test_evidence_that_nothing_or_all_would_have_is_refused(evidence):
    with pytest.raises(SettingsError, match="evidence is"):
        method_called("scoped")(evidence=evidence)
