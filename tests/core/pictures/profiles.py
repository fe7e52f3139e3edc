"""ICC profiles of any size, which littleCMS takes for profiles."""

from __future__ import annotations

import struct

import numpy as np
from PIL import ImageCms


def large_profile(size: int) -> bytes:
    """sRGB with a private tag of noise, which does not compress, of about a size in bytes."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack(">I", plain[128:132])[0]
    table = 132 + 12 * count
    entries = [struct.unpack(">4sII", plain[at : at + 12]) for at in range(132, table, 12)]
    noise = np.random.default_rng(0).bytes(max(size - len(plain), 4) // 4 * 4)
    moved = b"".join(struct.pack(">4sII", name, at + 12, n) for name, at, n in entries)
    own = struct.pack(">4sII", b"nois", len(plain) + 12, len(noise))
    total = struct.pack(">I", len(plain) + 12 + len(noise))
    head = total + plain[4:128] + struct.pack(">I", count + 1)
    return head + moved + own + plain[table:] + noise
