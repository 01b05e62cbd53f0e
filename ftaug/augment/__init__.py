"""Augmentation that every modality shares: transforms, random streams, composition and mixing."""
