"""Compare backbones by their features: `ftaug choose`."""
