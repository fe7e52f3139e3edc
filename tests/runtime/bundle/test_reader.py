from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_core.errors import BundleError
from gdq_runtime.bundle.reader import MANIFEST_LIMIT, Bundle
from runtime.tiny_bundle import read_manifest, seal, write_manifest, write_tiny_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "bundle")


def change(bundle: Path, *keys: str | int, to: object) -> None:
    manifest = read_manifest(bundle)
    place: Any = manifest
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    write_manifest(bundle, manifest)


def test_opens_what_was_sealed(bundle: Path) -> None:
    opened = Bundle.open(str(bundle))
    assert opened.path == bundle
    assert opened.manifest.network.name == "nearest"
    assert opened.bit_widths == (4, 5, 6, 8)
    assert opened.subgraph(5).onnx == "5.onnx"
    assert opened.file("5.onnx").read_bytes() == (bundle / "5.onnx").read_bytes()


def test_gives_only_files_that_were_checked(bundle: Path) -> None:
    (bundle / "extra").write_text("unlisted files are left alone")
    with pytest.raises(BundleError, match="'extra' is not a file of this bundle"):
        Bundle.open(bundle).file("extra")


@pytest.mark.parametrize("name", ["absent", "bundle/4.onnx", "nul\0byte"])
def test_refuses_what_is_no_folder(bundle: Path, name: str) -> None:
    with pytest.raises(BundleError, match="there is no such folder"):
        Bundle.open(bundle.parent / name)


def test_refuses_a_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"has no manifest\.json"):
        Bundle.open(tmp_path)


def test_refuses_a_changed_byte(bundle: Path) -> None:
    content = bytearray((bundle / "6.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "6.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"6\.onnx is damaged: its SHA-256"):
        Bundle.open(bundle)


def test_refuses_a_truncated_file(bundle: Path) -> None:
    (bundle / "6.onnx").write_bytes((bundle / "6.onnx").read_bytes()[:-1])
    with pytest.raises(
        BundleError, match=r"6\.onnx is damaged: it has \d+ bytes, the manifest says \d+"
    ):
        Bundle.open(bundle)


def test_refuses_a_missing_file(bundle: Path) -> None:
    (bundle / "6.onnx").unlink()
    with pytest.raises(BundleError, match=r"6\.onnx is missing"):
        Bundle.open(bundle)


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../outside", "c:\\x", "nul\0"])
def test_refuses_a_path_that_leaves(bundle: Path, path: str) -> None:
    (bundle.parent / "outside").write_bytes(b"")
    change(bundle, "files", 0, "path", to=path)
    with pytest.raises(BundleError):
        Bundle.open(bundle)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("linked", ["4.onnx", "sub", "manifest.json"])
def test_refuses_links(bundle: Path, linked: str) -> None:
    (bundle / "sub").mkdir()
    (bundle / "sub" / "file").write_bytes(b"x")
    seal(bundle)
    Bundle.open(bundle)
    (bundle / linked).rename(bundle.parent / "elsewhere")
    (bundle / linked).symlink_to(bundle.parent / "elsewhere")
    with pytest.raises(BundleError):
        Bundle.open(bundle)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["4.onnx", "manifest.json"])
def test_does_not_wait_for_a_pipe(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError):
        Bundle.open(bundle)


def test_tells_a_newer_version_from_a_broken_one(bundle: Path) -> None:
    manifest = read_manifest(bundle) | {"schema_version": 6, "novelty": True}
    write_manifest(bundle, manifest)
    with pytest.raises(BundleError, match="made by a newer version of gdq-export"):
        Bundle.open(bundle)
    write_manifest(bundle, manifest | {"schema_version": 1})
    with pytest.raises(BundleError, match="export the checkpoint again"):
        Bundle.open(bundle)


def test_says_which_formats_a_bundle_has(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    opened.require("onnx", "onnxruntime")
    with pytest.raises(
        BundleError, match="which reads tflite: it was exported with --formats onnx"
    ):
        opened.require("tflite", "litert")


def test_names_the_field_that_is_wrong(bundle: Path) -> None:
    change(bundle, "tiling", "size", to=97)
    with pytest.raises(BundleError, match=r"field tiling: tile size must be a multiple of 4"):
        Bundle.open(bundle)
    change(bundle, "tiling", to={"size": "x", "overlap": -1})
    with pytest.raises(BundleError, match=r"field tiling\.size: .*\(and 1 more\)"):
        Bundle.open(bundle)


def test_does_not_parse_a_huge_manifest(bundle: Path) -> None:
    with (bundle / "manifest.json").open("ab") as stream:
        stream.write(b" " * MANIFEST_LIMIT)
    with pytest.raises(BundleError, match="larger than 4 MiB"):
        Bundle.open(bundle)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON document."""
    inner: list[tuple[str | int, ...]] = [path] if path else []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in items:
            inner += places(child, (*path, key))
    return inner


@pytest.fixture(scope="module")
def shared_bundle() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield write_tiny_bundle(Path(folder) / "bundle")


@settings(max_examples=300)
@given(data=st.data())
def test_a_hostile_manifest_is_a_sentence(shared_bundle: Path, data: st.DataObject) -> None:
    sound = read_manifest(shared_bundle)
    place = data.draw(st.sampled_from(places(sound)))
    sentence = ""
    try:
        change(shared_bundle, *place, to=data.draw(json_values))
        Bundle.open(shared_bundle)
    except BundleError as error:
        sentence = str(error)
    finally:
        write_manifest(shared_bundle, sound)
    assert "\n" not in sentence


@settings(max_examples=200)
@given(text=st.binary(max_size=200) | st.integers(1, 100_000).map(lambda n: b"[" * n))
def test_any_bytes_as_manifest_are_a_sentence(shared_bundle: Path, text: bytes) -> None:
    sound = read_manifest(shared_bundle)
    (shared_bundle / "manifest.json").write_bytes(text)
    try:
        with pytest.raises(BundleError):
            Bundle.open(shared_bundle)
    finally:
        write_manifest(shared_bundle, sound)


def test_the_manifest_survives_a_round_trip(bundle: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    write_manifest(bundle, json.loads(manifest.model_dump_json()))
    assert Bundle.open(bundle).manifest == manifest
