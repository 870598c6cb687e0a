import hashlib
import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from backend import codebook, emotions, errors, pack, server
from tests.data import make_tiny_pack


@pytest.fixture
def copy(tiny_pack, tmp_path):
    """A copy of the tiny pack that may be damaged."""
    return shutil.copytree(tiny_pack, tmp_path / "péck 1")


def change(folder, **fields):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.update(fields)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def zipped(folder, target, prefix=""):
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, prefix + path.name)
    return target


def refused(path):
    with pytest.raises(errors.PackError) as caught:
        pack.load(path)
    return caught.value.code, str(caught.value)


def test_a_good_pack_is_read_with_all_its_facts(tiny_pack):
    manifest = pack.load(tiny_pack).manifest
    assert manifest.topology.vertex_count == 42 and manifest.fps == 30
    assert manifest.latent_shape == (2, 2)
    assert manifest.styles == ("calm", "lively") and len(manifest.files) == 5


def test_the_tiny_pack_stays_tiny(tiny_pack):
    assert sum(path.stat().st_size for path in tiny_pack.iterdir()) <= 20_000


@pytest.mark.parametrize("prefix", ["", "gldi-tiny/"])
def test_a_zip_of_a_pack_is_a_pack(tiny_pack, tmp_path, prefix):
    found = pack.load(zipped(tiny_pack, tmp_path / "p.zip", prefix))
    assert found.fingerprint == pack.load(tiny_pack).fingerprint
    assert found.read("codebook.npz") == (tiny_pack / "codebook.npz").read_bytes()


def test_a_flipped_byte_is_found_in_any_file(copy):
    for name in pack.REQUIRED_FILES:
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
        code, text = refused(copy)
        assert code == "pack_damaged" and f"'{name}': its checksum is wrong" in text
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(content)
    assert pack.load(copy).manifest.name == "tiny-test"


def test_a_byte_flipped_after_loading_is_found_on_reading(copy):
    found = pack.load(copy)
    (copy / "codebook.npz").write_bytes(b"x" * (copy / "codebook.npz").stat().st_size)
    with pytest.raises(errors.PackError, match="checksum"):
        found.read("codebook.npz")


def test_a_flipped_byte_in_a_zip_is_found(copy, tmp_path):
    path = zipped(copy, tmp_path / "p.zip")
    content = bytearray(path.read_bytes())
    content[content.find((copy / "decoder.onnx").read_bytes()) + 300] ^= 1
    path.write_bytes(content)
    assert refused(path)[0] == "pack_damaged"


def test_a_longer_file_is_told_by_its_size(copy):
    with open(copy / "decoder.onnx", "ab") as file:
        file.write(b"!")
    assert "'decoder.onnx': it has 2248 bytes, not 2247" in refused(copy)[1]


def test_a_missing_file_is_named(copy):
    (copy / "denoiser.onnx").unlink()
    assert refused(copy) == ("pack_file_missing", f"The pack '{copy}' lacks 'denoiser.onnx'. Copy "
                             "or download the pack again.")


def test_an_unknown_file_is_named_but_desktop_litter_is_not(copy):
    (copy / ".DS_Store").write_bytes(b"")
    pack.load(copy)
    (copy / "extra.bin").write_bytes(b"")
    assert "'extra.bin': the manifest does not list it" in refused(copy)[1]


@pytest.mark.parametrize(("version", "hint"), [(2, "Update the add-on"), (0, "Export it again")])
def test_another_schema_version_is_named_with_what_to_do(copy, version, hint):
    change(copy, schema_version=version)
    code, text = refused(copy)
    assert code == "pack_version" and f"schema version {version}" in text and hint in text


@pytest.mark.parametrize(("fields", "what"), [
    ({"fps": "30"}, "field 'fps' must be a finite number, not '30'"),
    ({"fps": 0}, "'fps' must be above 0, not 0"),
    ({"styles": "calm"}, "field 'styles' must be a list"),
    ({"styles": []}, "at least one style"),
    ({"latent_shape": [2]}, "'latent_shape' must have 2 entries, not 1"),
    ({"method": "magic"}, "one of gldi, exptalk, not 'magic'"),
    ({"method": "exptalk"}, "'emotion_features' belongs to the method 'exptalk'"),
    ({"emotion_features": {"rate_hz": 50, "size": 2}}, "belongs to the method 'exptalk'"),
    ({"method": "exptalk", "emotion_features": {"rate_hz": 50, "size": 2}}, "are too small"),
    ({"schedule": {"kind": "cosine", "steps": 1000, "x": 1}}, "unknown field 'schedule.x'"),
    ({"topology": {"name": "t", "vertex_count": True, "face_hash": ""}}, "a whole number"),
    ({"sampler": {"name": "ddim", "steps": 4000, "eta": 0}}, "does not fit the schedule"),
    ({"features": {"rate_hz": 16001, "size": 2}},
     "'features.rate_hz' must be at most sample_rate_hz, 16000, not 16001"),
    ({"emotion_features": {"rate_hz": 1e5, "size": 2}}, "'emotion_features.rate_hz' must be at"),
    ({"files": {}}, "does not list 'audio_encoder.onnx'"),
    ({"files": {"../x": {"sha256": "0" * 64, "bytes": 1}}}, "'../x' is no plain file name"),
    ({"files": {"/etc/passwd": {"sha256": "0" * 64, "bytes": 1}}}, "no plain file name"),
    ({"files": {"a": {"sha256": "zz", "bytes": 1}}}, "malformed"),
])
def test_a_wrong_field_is_named(copy, fields, what):
    change(copy, **fields)
    code, text = refused(copy)
    assert code == "pack_manifest" and what in text and "\n" not in text


@pytest.mark.parametrize("field", ["name", "topology", "credits"])
def test_a_missing_field_is_named(copy, field):
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    del manifest[field]
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert f"field '{field}' is missing" in refused(copy)[1]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"schema_version": NaN}'])
def test_a_manifest_that_is_none_is_refused(copy, text):
    (copy / "manifest.json").write_text(text, encoding="utf-8")
    assert refused(copy)[0] == "pack_manifest"


@pytest.mark.parametrize("name", ["../evil.txt", "/abs.txt", "a/../../evil.txt", "C:evil", "a\\b"])
def test_a_zip_whose_names_reach_outside_is_refused(copy, tmp_path, name):
    path = zipped(copy, tmp_path / "p.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    assert "points outside the pack" in refused(path)[1]


def test_a_zip_bomb_is_refused_by_its_declared_size(copy, tmp_path):
    (copy / "decoder.onnx").write_bytes(bytes(50_000_000))
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in copy.iterdir():
            archive.write(path, path.name)
    assert "it has 50000000 bytes, not 2247" in refused(tmp_path / "p.zip")[1]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more"])
def test_a_zip_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "p.zip").write_bytes(content)
    assert refused(tmp_path / "p.zip")[0] == "pack_damaged"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_whose_compressed_bytes_are_damaged_is_refused_and_passed_over(
        tiny_pack, tmp_path, monkeypatch, method):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.write(tiny_pack / "manifest.json", "manifest.json")
        entry = archive.getinfo("manifest.json")
    content = bytearray(path.read_bytes())
    # Past the entry's own header and name, and LZMA's 9 bytes of properties.
    start = entry.header_offset + 30 + len("manifest.json") + 9
    content[start:start + 60] = b"\xff" * 60
    path.write_bytes(content)
    code, text = refused(path)
    assert code == "pack_damaged" and f"'{path}' is damaged: 'manifest.json'" in text
    monkeypatch.setenv("SOLILOQUY_MODELS", str(tmp_path))
    assert str(path) not in [info.path for info in server.known_packs()]
    with pytest.raises(errors.PackError, match="no model 'moon'"):
        pack.find("moon")


def test_a_zip_whose_names_are_no_text_is_refused(tiny_pack, tmp_path):
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tiny_pack / "manifest.json", "ü.json")
    path.write_bytes(path.read_bytes().replace("ü.json".encode(), b"\xff\xff.json"))
    assert refused(path)[0] == "pack_damaged"


def test_a_folder_that_is_no_pack_is_refused(tmp_path):
    assert refused(tmp_path)[1].startswith(f"'{tmp_path}' is no model pack")


def test_a_shipped_pack_is_found_by_folder_name_and_by_its_own(copy, monkeypatch):
    monkeypatch.setenv("SOLILOQUY_MODELS", str(copy.parent))
    assert pack.find("péck 1") == copy == pack.find("tiny-test") == pack.find(str(copy))


def test_an_unknown_name_lists_those_there_are(copy, monkeypatch):
    monkeypatch.setenv("SOLILOQUY_MODELS", str(copy.parent))
    with pytest.raises(errors.PackError, match=r"no model 'gldi-moon'.*tiny-test"):
        pack.find("gldi-moon")


def test_writing_measures_the_files_and_reads_them_back(copy):
    manifest = pack.load(copy).manifest
    (copy / "LICENCE.txt").write_text("free")
    written = pack.write(copy, manifest)
    assert written.manifest.files["LICENCE.txt"].bytes == 4
    assert sorted(path.name for path in copy.iterdir()) == sorted(
        [*written.manifest.files, "manifest.json"])


def arrays(**given):
    file = io.BytesIO()
    np.savez_compressed(file, **given)
    return file.getvalue()


def damaged():
    """An .npz whose array does not decompress."""
    content = bytearray(arrays(codes=np.arange(400)))
    content[60:160] = b"\xff" * 100
    return bytes(content)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more", damaged(), b"\x93NUMPY"])
@pytest.mark.parametrize(("name", "read"), [("codebook.npz", codebook.read),
                                            ("emotions.npz", emotions.palette)])
def test_a_file_of_arrays_that_is_none_is_refused(tmp_path, name, read, content):
    made = make_tiny_pack.make_emotional(tmp_path / "pack")
    (made.path / name).write_bytes(content)
    with pytest.raises(errors.PackError, match="cannot be read"):
        read(pack.write(made.path, made.manifest))


@pytest.mark.parametrize(("name", "read", "given", "what"), [
    ("codebook.npz", codebook.read, {"codes": np.zeros((0, 2), np.float32)},
     "has a book without a code"),
    ("codebook.npz", codebook.read, {"codes": np.float32(1)}, r"is float32 \(\), not float32"),
    ("emotions.npz", emotions.palette, {"amounts": np.float32(1), "prototypes": np.zeros(3)},
     r"its amounts are float32 \(\), not floats \(L,\)"),
    ("emotions.npz", emotions.palette, {"amounts": np.array(["a"]), "prototypes": np.zeros(3)},
     r"its amounts are <U1 \(1,\)")])
def test_arrays_of_an_impossible_shape_are_refused(tmp_path, name, read, given, what):
    made = make_tiny_pack.make_emotional(tmp_path / "pack")
    if name == "codebook.npz":
        given = given | {"emotion_codes": np.zeros((4, 2), np.float32)}
    np.savez(made.path / name, **given)
    with pytest.raises(errors.PackError, match=what):
        read(pack.write(made.path, made.manifest))


def test_face_hash_ignores_order_and_first_corner_but_not_winding():
    known = pack.face_hash([(0, 1, 2), (2, 1, 3)])
    assert known == hashlib.sha256(b"0,1,2;1,3,2").hexdigest()
    assert pack.face_hash([(3, 2, 1), (1, 2, 0)]) == known
    assert pack.face_hash([(0, 2, 1), (2, 1, 3)]) != known
