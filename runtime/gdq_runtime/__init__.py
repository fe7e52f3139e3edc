"""Runs super-resolution networks trained with Granular-DQ: a bundle and an image in, an image out."""
