"""Methods: how a network learns where its weights are not simply free."""

from ftaug.components.peft import l2_sp, lora, ssf

__all__ = ["l2_sp", "lora", "ssf"]
