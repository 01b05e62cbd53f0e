"""Import plugins with custom components: a Python file beside the experiment, or an importable module."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

PREFIX = "ftaug_plugin_"

_modules: dict[bytes, ModuleType] = {}
"""The imported plugin files by the hash of their content."""


class PluginFailed(Exception):
    """A plugin could not be imported; the message is user-facing."""


def is_file(plugin: str) -> bool:
    """Whether the plugin is named by its file rather than as a module."""
    return plugin.endswith(".py")


def import_plugin(plugin: str) -> None:
    """Import a plugin, an absolute path or a module's name; raises PluginFailed."""
    try:
        import_origin(plugin)
    except FileNotFoundError:
        raise PluginFailed("no such file") from None
    except ModuleNotFoundError as error:
        if not is_file(plugin) and error.name and (plugin + ".").startswith(error.name + "."):
            raise PluginFailed("no such module; for a file beside the experiment write its name with .py") from None
        renamed = "; for the current import paths see docs/writing-a-component.md" if _is_ours(error) else ""
        raise PluginFailed(_describe(error) + renamed) from error
    except (Exception, SystemExit) as error:
        raise PluginFailed(_describe(error)) from error


def _is_ours(error: ModuleNotFoundError) -> bool:
    """Whether the missing module would be one of ftaug, which an older version may have had."""
    return error.name is not None and error.name.startswith("ftaug.")


def _describe(error: BaseException) -> str:
    """Describe an exception, with the file and line of the plugin in which it was raised."""
    if isinstance(error, SyntaxError):
        where = f" (line {error.lineno})"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        plugin_frames = [
            f for f in frames if "importlib" not in f.filename and Path(f.filename).parent != Path(__file__).parent
        ]
        where = f" ({Path(plugin_frames[-1].filename).name}, line {plugin_frames[-1].lineno})" if plugin_frames else ""
    return f"fails when imported: {type(error).__name__}: {error}{where}"


def import_origin(origin: str) -> None:
    """Import the module or the plugin's file that registers a component."""
    if not is_file(origin):
        importlib.import_module(origin)
        return
    name = module_name(origin)
    if name in sys.modules:
        return
    if not Path(origin).is_file():
        raise FileNotFoundError(origin)
    content = hashlib.sha256(Path(origin).read_bytes()).digest()
    if content in _modules:  # a copy of it, such as in a run folder
        sys.modules[name] = _modules[content]
        return
    specification = importlib.util.spec_from_file_location(name, origin)
    if specification is None or specification.loader is None:
        raise ImportError(origin)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _modules[content] = module


def module_name(path: str) -> str:
    """Return a unique module name for a plugin file, the same in every process."""
    resolved = Path(path).resolve()
    return f"{PREFIX}{resolved.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:8]}"


def origin_of(module: str) -> str:
    """Return the argument with which `import_origin` imports the module in another process."""
    if module.startswith(PREFIX) and module in sys.modules:
        return str(sys.modules[module].__file__)
    return module
