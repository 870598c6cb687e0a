"""Masks from the rig and from the files that the field passes round."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from training import masks

OWN = {"mask_lips": np.array([False, True, True, False]), "mask_eyes": np.array([3])}


def test_a_mask_of_the_rig_is_named_with_its_size() -> None:
    region = masks.find("mask_lips", OWN, 4)
    assert region.name == "mask_lips (2 vertices)"
    assert region.vertices.tolist() == [1, 2]


def test_masks_joined_with_plus_are_united() -> None:
    assert masks.find("mask_lips+mask_eyes", OWN, 4).vertices.tolist() == [1, 2, 3]


def test_a_text_file_holds_numbers_between_commas(tmp_path: Path) -> None:
    (tmp_path / "lve.txt").write_text("2, 0,2", encoding="utf-8")
    region = masks.find(str(tmp_path / "lve.txt"), OWN, 4)
    assert (region.name, region.vertices.tolist()) == ("lve.txt (2 vertices)", [0, 2])


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_a_file_of_named_masks(tmp_path: Path, suffix: str) -> None:
    held = {"lips": np.array([0, 1]), "nose": np.array([3])}
    path = tmp_path / f"FLAME_masks{suffix}"
    np.savez(path, **held) if suffix == ".npz" else path.write_bytes(pickle.dumps(held))
    region = masks.find(f"{path}:lips+nose", OWN, 4)
    assert region.name == f"FLAME_masks{suffix}:lips+nose (3 vertices)"
    assert region.vertices.tolist() == [0, 1, 3]


def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "lve.txt").write_text("2,4", encoding="utf-8")
    with pytest.raises(masks.MaskError, match=r"lve\.txt names 2 to 4 on a mesh of 4 vertices"):
        masks.find(str(tmp_path / "lve.txt"), OWN, 4)
    (tmp_path / "lve.txt").write_text("2,x", encoding="utf-8")
    with pytest.raises(masks.MaskError, match=r"lve\.txt is no mask"):
        masks.find(str(tmp_path / "lve.txt"), OWN, 4)
    with pytest.raises(masks.MaskError, match="no mask 'mask_lip' in mask_lip"):
        masks.find("mask_lip", OWN, 4)
    with pytest.raises(masks.MaskError, match="holds no masks"):
        masks.find(f"{tmp_path / 'none.npz'}:lips", OWN, 4)
