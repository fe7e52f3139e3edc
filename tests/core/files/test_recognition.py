from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from core.made_pictures import png_bytes, random_image
from gdq_core.files.recognition import is_checkpoint, is_page, is_picture, is_result


def safetensors(header: object) -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded


OURS = {
    is_picture: [png_bytes(random_image(2, 2)), b"\xff\xd8\xff\xe0", b"II*\0", b"MM\0*"],
    is_page: [b'<!doctype html><head><meta name="generator" content="gdq-bench"></head>'],
    is_result: [b'{"engines": [], "target": "host"}'],
    is_checkpoint: [safetensors({"__metadata__": {"format": "gdq-checkpoint"}})],
}
NOT_OURS = {
    is_picture: [b"precious", b"BM...", b"II"],
    is_page: [b"<!doctype html><p>precious", b"precious"],
    is_result: [b"precious", b'{"name": "a package"}', b"[]", b'{"engines": "v8"}', b"[" * 10_000],
    is_checkpoint: [
        b"precious",
        b"",
        safetensors({"__metadata__": {"format": "pt"}}),
        safetensors({"__metadata__": "gdq-checkpoint"}),
        safetensors([]),
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 8) + b"\xff" * 8,
    ],
}


@pytest.mark.parametrize("recognise", OURS)
def test_ours_is_told_from_what_is_not(recognise: object, tmp_path: Path) -> None:
    assert callable(recognise)
    file = tmp_path / "file"
    for content in OURS[recognise]:
        file.write_bytes(content)
        assert recognise(file), content
    others = [one for other, contents in OURS.items() if other is not recognise for one in contents]
    for content in [*NOT_OURS[recognise], *others]:
        file.write_bytes(content)
        assert not recognise(file), content[:40]
    assert not recognise(tmp_path / "absent")
