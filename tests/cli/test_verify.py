"""A store in, what is damaged out."""

from everlearn.store import Store


def test_a_sound_store(call, home):
    outcome = call("verify")
    assert (outcome.code, outcome.out) == (0, "every object is as it was written\n")
    assert call("verify", "--json").json["sound"] is True


def test_a_flipped_bit_is_found(call, home):
    store = Store.open(home)
    path = store.path(store.commit("head").weights_object)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    outcome = call("verify")
    assert outcome.code == 1
    assert "content and name do not match" in outcome.out
    assert outcome.out.endswith("1 fault\n")
    assert len(call("verify", "--json").json["faults"]) == 1
