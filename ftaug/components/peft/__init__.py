"""Parameter-efficient fine-tuning (PEFT) and regularized fine-tuning: LoRA, SSF, L2-SP."""

from ftaug.components.peft import l2_sp, lora, ssf

__all__ = ["l2_sp", "lora", "ssf"]
