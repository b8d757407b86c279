"""The methods of the package in, their list and one method's settings out."""

from __future__ import annotations

import json

import pytest

from everlearn import plugins
from everlearn.methods.contract import FAMILIES


def test_every_method_is_listed_once_under_its_family(call):
    listed = json.loads(call("methods", "--json").out)
    assert sorted(line["name"] for line in listed) == plugins.names("methods")
    families = [line["family"] for line in listed]
    assert families == sorted(families, key=FAMILIES.index)
    assert all(line["keeps"] and line["cost"] and line["about"] for line in listed)
    page = call("methods").out
    for line in listed:
        assert f"  {line['name']} " in page
    assert page.index("references") < page.index("regularization") < page.index("the default")


def test_its_sentence_names_no_papers_and_keeps_formulas(call):
    page = " ".join(call("methods").out.split())
    assert "1612.00796" not in page
    assert "KL(start ‖ model) on texts that the start model wrote by itself" in page


@pytest.mark.parametrize("name", ["ewc", "replay+ewc"])
def test_one_is_explained_with_its_own_settings_first(call, name):
    whole = json.loads(call("methods", name, "--json").out)
    names = [setting["name"] for setting in whole["settings"]]
    assert names.index("strength") < names.index("epochs")
    assert all(setting["help"] for setting in whole["settings"])
    assert f"everlearn learn DATA --method {name} --set " in call("methods", name).out


def test_a_stack_keeps_and_costs_what_its_parts_do(call):
    line = json.loads(call("methods", "replay+ewc", "--json").out)["method"]
    assert line["keeps"] == "a sample of earlier examples; how much each weight matters"
    assert line["family"] == "replay, regularization"
    assert line["cost"].startswith("replay: ")


def test_an_unknown_one_is_an_error_with_the_nearest(call):
    failed = call("methods", "replya")
    assert failed.code == 1
    assert "did you mean 'replay'?" in failed.err
