"""Sounds before and after augmentation, as spectrograms and to listen to."""
