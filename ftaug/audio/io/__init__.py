"""Reading sound files: formats, channels and sampling rates."""
