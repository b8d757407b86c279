"""What a commit stores must be what the model then is, small, and bound to its base."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import ModelError, StoreError
from everlearn.model.adaptation import Adaptation
from everlearn.model.delta import decode_delta, encode_delta, layer_distances
from everlearn.model.language_model import LanguageModel


def moved(folder, kind: str) -> LanguageModel:
    """The tiny model after a random change."""
    model = LanguageModel.load(str(folder))
    model.adapt(Adaptation(kind, 8))
    generator = torch.Generator().manual_seed(0)
    for name, master in model.masters.items():
        model.masters[name] = master + 0.01 * torch.randn(master.shape, generator=generator)
    return model


@pytest.mark.parametrize("kind", ["full", "neurons", "lora"])
def test_the_model_is_set_to_what_was_stored(tiny_folder, kind):
    model = moved(tiny_folder, kind)
    data = encode_delta(model)
    other = LanguageModel.load(str(tiny_folder))
    decode_delta(other, data)
    for name, master in model.masters.items():
        assert torch.equal(master, other.masters[name])
    assert data == encode_delta(model)


def test_eight_bits_keep_a_change_to_half_a_percent(tiny_folder):
    model = moved(tiny_folder, "full")
    wanted = model.snapshot()
    encode_delta(model)
    start = model.start()
    for name, master in model.masters.items():
        change = wanted[name] - start[name]
        assert (master - wanted[name]).norm() <= 0.01 * change.norm()


def test_full_weights_take_about_a_quarter_of_the_model(tiny_folder):
    model = moved(tiny_folder, "full")
    whole = sum(4 * master.numel() for master in model.masters.values())
    assert len(encode_delta(model)) < 0.4 * whole  # scales and names weigh more in a tiny model


def test_an_adapter_takes_its_own_bytes(tiny_folder):
    model = moved(tiny_folder, "lora")
    whole = sum(4 * master.numel() for master in model.masters.values())
    assert len(encode_delta(model)) < 1.1 * whole


def test_equal_weights_have_equal_bytes(tiny_folder):
    assert len({encode_delta(moved(tiny_folder, "lora")) for _ in range(5)}) == 1


def test_a_delta_of_another_base_is_refused(tiny_folder):
    model = moved(tiny_folder, "full")
    data = encode_delta(model)
    model.digest = "0" * 64
    with pytest.raises(StoreError, match="these weights belong to the base"):
        decode_delta(model, data)


def test_a_lineage_keeps_to_one_kind_of_weights(tiny_folder):
    model = moved(tiny_folder, "lora")
    with pytest.raises(ModelError, match="this lineage changes a LoRA adapter"):
        model.adapt(Adaptation("full"))


def test_distances_are_named_by_layer(tiny_folder):
    model = moved(tiny_folder, "full")
    distances = layer_distances(model, b"", encode_delta(model))
    assert list(distances) == ["embedding", "layer 0", "layer 1", "norm and head"]
    assert all(distance > 0 for distance in distances.values())


def test_the_distance_of_adapters_is_that_of_their_products(tiny_folder):
    model = moved(tiny_folder, "lora")
    first = encode_delta(model)
    for name, master in model.masters.items():
        master.mul_(4.0 if "lora_A" in name else 0.25)  # other factors, the same product
    distances = layer_distances(model, first, encode_delta(model))
    assert all(distance == pytest.approx(0, abs=1e-6) for distance in distances.values())
    assert all(distance > 0 for distance in layer_distances(model, b"", first).values())
