"""A machine and a store in, findings out."""

from everlearn.cli.terminal import health
from everlearn.store import Store


def test_a_sound_store(call, home):
    findings = {finding["what"]: finding for finding in call("doctor", "--json").json}
    assert findings["store"]["state"] == "ok"
    assert "3 versions, every object as it was written" in findings["store"]["found"]
    assert "torch 2" in findings["packages"]["found"]
    assert "of torch on" in findings["threads"]["found"]


def test_the_page_fits_80_columns(call, home):
    outcome = call("doctor")
    assert outcome.code == 0
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_without_a_store_nothing_is_wrong(call, fresh):
    outcome = call("doctor")
    assert outcome.code == 0
    assert "none here or in any folder above" in " ".join(outcome.out.split())


def test_a_damaged_store_is_a_fault(call, home):
    store = Store.open(home)
    path = store.path(store.commit("head").exam_object)
    path.unlink()
    outcome = call("doctor")
    assert outcome.code == 1
    assert "FAULT" in outcome.out
    assert "`everlearn verify` lists them" in outcome.out


def test_more_threads_than_cores_are_pointed_out(monkeypatch):
    monkeypatch.setattr(health, "cores", lambda: 0)
    assert health._threads().state == "attention"
    assert "set OMP_NUM_THREADS=1" in health._threads().advice
    monkeypatch.setattr(health, "cores", lambda: 10_000)
    assert health._threads().state == "ok"


def test_a_processor_without_bf16_is_pointed_out(monkeypatch):
    monkeypatch.setattr(health, "_processor_flags", lambda: {"avx2"})
    assert health._arithmetic().state == "attention"
    monkeypatch.setattr(health, "_processor_flags", lambda: {"amx_bf16", "avx512_bf16"})
    assert health._arithmetic() == health.Finding("computes on", "CPU, bf16 by AMX and AVX512-bf16")


def test_missing_kernels_are_pointed_out(monkeypatch):
    monkeypatch.setattr("everlearn.model.kernels.library.library", lambda: None)
    assert health._kernels().state == "attention"
    monkeypatch.setattr("everlearn.model.kernels.library.library", lambda: "functions")
    assert health._kernels() == health.Finding("kernels", "compiled for this processor")


def test_little_memory_is_pointed_out(monkeypatch):
    monkeypatch.setattr(health, "free_memory", lambda: 1_000_000)
    assert health._memory().state == "attention"
    monkeypatch.setattr(health, "free_memory", lambda: None)
    assert health._memory().found == "unknown on this system"
