"""Backbones for texts; importing this registers them."""

from ftaug.text.backbones import hf, tiny_text

__all__ = ["hf", "tiny_text"]
