"""Audio explainers; importing this package registers them."""

from ftaug.config.registry import import_registering_modules

import_registering_modules(__name__, __path__)
