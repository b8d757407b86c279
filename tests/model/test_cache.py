"""A model is found, refused with a way out, or fetched exactly once however many ask at the same time."""

from __future__ import annotations

import pytest

from everlearn.errors import ModelError
from everlearn.model import cache


def test_a_directory_is_taken_as_it_is(tiny_folder):
    assert cache.model_directory(str(tiny_folder)) == tiny_folder


def test_an_unknown_name_gets_the_nearest_alias():
    with pytest.raises(ModelError, match="there is no model 'smolm2-135m'") as caught:
        cache.model_directory("smolm2-135m")
    assert caught.value.hint.startswith("did you mean 'smollm2-135m'?")


def test_a_directory_without_a_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"without a config\.json"):
        cache.model_directory(str(tmp_path))


def test_the_digest_follows_the_content(tiny_folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    assert cache.weights_digest(copy) == cache.weights_digest(tiny_folder)
    (copy / "tokenizer_config.json").write_text("{}")
    assert cache.weights_digest(copy) != cache.weights_digest(tiny_folder)
