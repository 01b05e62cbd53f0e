"""A run from the outside: trained, watched, drawn and opened again. What the commands share."""
