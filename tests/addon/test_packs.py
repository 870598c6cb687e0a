"""Models of the user's own: installed from a .zip after checks, listed, removed."""

import os
import shutil
from dataclasses import replace

import pytest

from blender_addon import packs
from blender_addon._backend import errors, pack


@pytest.fixture
def archive(tmp_path, tiny_pack):
    """The tiny pack as a .zip."""
    return tmp_path / shutil.make_archive(str(tmp_path / "tiny"), "zip", tiny_pack)


def test_an_installed_pack_is_the_one_in_the_zip_and_is_listed(archive, tmp_path, tiny_pack):
    own = tmp_path / "own"
    assert packs.install(archive, own) == "tiny-test"
    assert pack.load(own / "tiny-test").fingerprint == pack.load(tiny_pack).fingerprint
    entry = packs.installed([own])[0]
    assert (entry.name, entry.shipped, entry.licence) == ("tiny-test", False, "GPL-3.0-or-later")
    assert entry.what == "TINY, 42 vertices, 30 fps, gldi"
    assert os.listdir(own) == ["tiny-test"]


def test_a_pack_is_listed_with_its_figures(tmp_path, tiny_pack):
    shutil.copytree(tiny_pack, tmp_path / "tiny-test")
    manifest = pack.read_manifest(tiny_pack)
    assert manifest.figures == packs.installed([tmp_path])[0].figures == ()
    pack.write(tmp_path / "tiny-test", replace(manifest, figures=("AUC 0.97",)))
    assert packs.installed([tmp_path])[0].figures == ("AUC 0.97",)


def test_installing_again_replaces_the_pack(archive, tmp_path):
    packs.install(archive, tmp_path / "own")
    (tmp_path / "own/tiny-test/stray").touch()
    packs.install(archive, tmp_path / "own")
    assert pack.load(tmp_path / "own/tiny-test").manifest.name == "tiny-test"


def test_a_damaged_zip_is_refused_and_nothing_is_written(archive, tmp_path):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(errors.PackError):
        packs.install(archive, tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_shipped_model_is_not_replaced(archive, tmp_path, tiny_pack, monkeypatch):
    shutil.copytree(tiny_pack, tmp_path / "shipped" / "tiny-test")
    monkeypatch.setenv("SOLILOQUY_MODELS", str(tmp_path / "shipped"))
    with pytest.raises(errors.PackError, match="'tiny-test' comes with Soliloquy"):
        packs.install(archive, tmp_path / "own")


def test_a_removed_pack_is_gone_and_no_other_folder_can_be_named(archive, tmp_path):
    packs.install(archive, tmp_path / "own")
    with pytest.raises(errors.PackError, match="has no model"):
        packs.remove("../own/tiny-test", tmp_path / "own")
    packs.remove("tiny-test", tmp_path / "own")
    assert os.listdir(tmp_path / "own") == []


def test_a_file_in_the_folders_place_is_one_clear_line(archive, tmp_path):
    (tmp_path / "own").write_text("a file")
    with pytest.raises(errors.PackError, match=r"own' cannot be written: .*File exists"):
        packs.install(archive, tmp_path / "own")
    assert (tmp_path / "own").read_text() == "a file"


def test_of_a_linked_pack_the_link_is_removed_or_replaced_and_the_pack_stays(
        archive, tmp_path, tiny_pack):
    own, elsewhere = tmp_path / "own", tmp_path / "elsewhere"
    own.mkdir()
    shutil.copytree(tiny_pack, elsewhere)
    for act in (packs.remove, lambda _name, folder: packs.install(archive, folder)):
        (own / "tiny-test").symlink_to(elsewhere)
        act("tiny-test", own)
        assert not (own / "tiny-test").is_symlink()
        assert pack.load(elsewhere).manifest.name == "tiny-test"
    assert os.listdir(own) == ["tiny-test"]


def test_a_pack_that_cannot_be_removed_is_one_clear_line(archive, tmp_path, monkeypatch):
    packs.install(archive, tmp_path)

    def refuse(_place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(errors.PackError, match=r"tiny-test' cannot be removed: .*denied"):
        packs.remove("tiny-test", tmp_path)


def test_a_broken_pack_is_listed_with_its_problem(tmp_path):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "manifest.json").write_text("{}")
    assert "manifest of the pack" in packs.installed([tmp_path])[0].problem
