"""Contact sheets of pictures and their statistics."""
