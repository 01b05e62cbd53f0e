"""Image previews: contact sheets and augmentation statistics."""
