from __future__ import annotations

import torch

# Tiny networks gain nothing from threads that wait for each other. Set on import, since some
# modules build a network while they are collected.
torch.set_num_threads(1)
