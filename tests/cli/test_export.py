"""A version in, a folder that transformers or PEFT loads out."""

import torch
from transformers import AutoModelForCausalLM

from everlearn.store import Store

from .conftest import TO_NO_AVAIL


def test_merged(call, home):
    outcome = call("export", "merged", "out", "--json")
    found = outcome.json
    assert found["at"] == Store.open(home).head()
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(found["files"])
    assert AutoModelForCausalLM.from_pretrained("out").dtype == torch.bfloat16


def test_the_page_says_how_to_load_it(call, home):
    assert 'AutoModelForCausalLM.from_pretrained("out")' in call("export", "merged", "out", "--at", "base").out


def test_a_lineage_of_full_weights_has_no_adapter(call, home):
    outcome = call("export", "adapter", "out")
    assert outcome.code == 1
    assert outcome.err.splitlines()[-2:] == [
        "error: this lineage changes all weights, so there is no adapter to export",
        "hint: export the whole model: everlearn export merged FOLDER",
    ]
    assert not (home / "out").exists()


def test_the_adapter_of_a_lora_lineage_is_loaded_by_peft(call, fresh, tiny_folder):
    from peft import PeftModel

    model = ("--model", str(tiny_folder))
    learnt = call("learn", "rows.jsonl", "--json", *model, *TO_NO_AVAIL, "--set", "weights=lora")
    assert "Warning" not in learnt.err
    outcome = call("export", "adapter", "out", "--at", learnt.json["id"])
    assert outcome.code == 0
    assert 'PeftModel.from_pretrained(base, "out")' in outcome.out
    loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_folder), "out")
    assert loaded.peft_config["default"].r == 32


def test_a_folder_with_files_is_refused(call, home):
    (home / "out").mkdir()
    (home / "out" / "mine.txt").write_text("mine")
    outcome = call("export", "merged", "out")
    assert outcome.code == 1
    assert outcome.err.splitlines()[-2:] == [
        "error: out is there already and not empty",
        "hint: give a new or an empty folder",
    ]


def test_an_unknown_form(usage_error):
    assert "argument form: invalid choice: 'gguf'" in usage_error("export", "gguf", "out")
