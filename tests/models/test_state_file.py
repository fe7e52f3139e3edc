from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import released_state_dict, tiny_edsr, tiny_srresnet
from gdq_models import CheckpointError, load_checkpoint
from gdq_models.state_bytes import LARGEST_FILE
from gdq_models.state_file import read_state_file

SMALL = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(True)}


class Attack:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("kind", ["safetensors", "archive", "old"])
def test_reads_all_kinds_whatever_the_suffix(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    if kind == "safetensors":
        safetensors.torch.save_file(SMALL, path)
    else:
        torch.save(SMALL, path, _use_new_zipfile_serialization=kind == "archive")
    tensors = read_state_file(path).tensors
    assert tensors.keys() == SMALL.keys()
    assert all(torch.equal(tensors[key], SMALL[key]) for key in SMALL)


@pytest.mark.parametrize("legacy", [False, True])
def test_code_is_refused_and_not_run(legacy: bool, tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "was_here"
    attack = {"head.weight": torch.zeros(1), "x": Attack(target)}
    torch.save(attack, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match="because it could run code: save the network's"):
        read_state_file(path)
    assert not target.exists()


def test_a_bare_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    path, target = tmp_path / "evil.pkl", tmp_path / "was_here"
    path.write_bytes(pickle.dumps(Attack(target)))
    with pytest.raises(CheckpointError, match="neither"):
        read_state_file(path)
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "holds a list instead of a state dict"),
        ({"epoch": 3}, "'epoch' of the state dict is not a tensor"),
        ({3: torch.zeros(1)}, "not the name of a weight"),
        ({"k" * 500: torch.zeros(1)}, "not the name of a weight"),
        # Unpickling a sparse tensor warns, which is an error here and not elsewhere.
        ({"a": torch.zeros(2).to_sparse()}, "not a plain tensor|damaged"),
        ({"a": torch.zeros(2, device="meta")}, "not a plain tensor"),
        ({"a": torch.zeros(1).expand(1 << 40)}, "of tensors"),
    ],
)
def test_what_is_no_state_dict_is_refused(content: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.pt"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=message):
        read_state_file(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"hello, this is a text", b"\x80\x02}q\x00."])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="neither a safetensors file nor an archive"):
        read_state_file(path)


@pytest.mark.parametrize("name", ["params_ema", "params", "state_dict", "model"])
def test_a_state_dict_is_found_under_its_usual_names(name: str, tmp_path: Path) -> None:
    others = {"epoch": 3, "optimizer": {"lr": 0.1}, "params": {}, "model": 1}
    torch.save(others | {name: SMALL}, tmp_path / "a.pt")
    assert read_state_file(tmp_path / "a.pt").tensors.keys() == SMALL.keys()


def test_a_dict_that_holds_itself_ends(tmp_path: Path) -> None:
    endless: dict[str, object] = {}
    endless["model"] = endless
    torch.save(endless, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="'model' of the state dict is not a tensor"):
        read_state_file(tmp_path / "a.pt")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be read"):
            read_state_file(path)


def test_a_file_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)  # sparse: takes no disk
    with pytest.raises(CheckpointError, match="larger than 1024 MiB"):
        read_state_file(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\0" * (1 << 22))
    with pytest.raises(CheckpointError, match="compressed"):
        read_state_file(path)


def archive_of(state: object, *, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


OURS = safetensors.torch.save({k: v.contiguous() for k, v in tiny_edsr().state_dict().items()})
RELEASED = archive_of(released_state_dict(tiny_srresnet(channels=8, blocks=1)))
OLD = archive_of({"state_dict": tiny_edsr(channels=8, blocks=1).state_dict()}, old=True)


@settings(max_examples=60)
@given(data=st.data(), content=st.sampled_from([OURS, RELEASED, OLD]))
def test_truncated_and_garbled_files_raise_nothing_but_our_error(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    damaged = bytearray(content[: data.draw(st.integers(0, len(content)), label="kept")])
    # Headers and the ends of archives are where structure is: aim there half of the time.
    anywhere = st.integers(0, len(content) - 1)
    near_the_ends = st.integers(0, 2000) | st.integers(len(content) - 3000, len(content) - 1)
    places = data.draw(st.lists(anywhere | near_the_ends, max_size=8), label="places")
    for place in places:
        if place < len(damaged):
            damaged[place] = data.draw(st.integers(0, 255), label="byte")
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(damaged)
    with contextlib.suppress(CheckpointError):
        load_checkpoint(path)


entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F64", "BOOL", "I64", "F8_E4M3", "U16", "X"]),
        "shape": st.lists(st.integers(-1, 1 << 62) | st.integers(0, 8), max_size=5),
        "data_offsets": st.lists(st.integers(0, 64), min_size=2, max_size=2),
    }
)
keys = st.sampled_from(["head.weight", "up.0.weight", "body.0.conv1.weight", "__metadata__", "x"])


@given(
    header=st.dictionaries(keys, entries | st.text(max_size=3), max_size=4),
    body=st.binary(max_size=64),
    extra=st.integers(-5, 5),
)
def test_hostile_headers_raise_nothing_but_our_error(
    header: dict[str, object], body: bytes, extra: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    encoded = json.dumps(header).encode()
    path = tmp_path_factory.getbasetemp() / "hostile"
    path.write_bytes(struct.pack("<Q", max(0, len(encoded) + extra)) + encoded + body)
    with pytest.raises(CheckpointError):
        load_checkpoint(path)


@settings(max_examples=60)
@given(data=st.data())
def test_hostile_pickles_raise_nothing_but_our_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The archive is sound, its pickle is not."""
    source = zipfile.ZipFile(io.BytesIO(RELEASED))
    path = tmp_path_factory.getbasetemp() / "hostile.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for entry in source.infolist():
            content = bytearray(source.read(entry))
            if entry.filename.endswith("data.pkl"):
                for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
                    content[place] = data.draw(st.integers(0, 255))
            archive.writestr(entry.filename, bytes(content))
    with contextlib.suppress(CheckpointError):
        load_checkpoint(path)
