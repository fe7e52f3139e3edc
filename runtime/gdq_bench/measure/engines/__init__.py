"""Engines that are only measured, beside the runtime's own: none is needed to upscale."""
