"""A folder as it is, and as it would be after a power loss."""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

TEMPORARY = re.compile(r"(^|/)\.(tmp|trash)-")
UNREAD = (".lock", "train.log", "crash.log", "stdout", "stderr")
"""Files that no later start reads."""

Tree = Mapping[str, str]
"""The content of a folder by relative path: `dir`, `link TARGET` or the digest of a file."""


def write_tree(tree: Tree, contents: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, value in sorted(tree.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if value == "dir":
            path.mkdir(exist_ok=True)
        elif value.startswith("link "):
            path.symlink_to(value.removeprefix("link "))
        else:
            path.write_bytes(contents[value])


def key_of(tree: Tree) -> str:
    """Digest what a later start can see; it deletes temporary files whatever is in them."""
    seen = {}
    for name, value in tree.items():
        if match := TEMPORARY.search(name):
            name, value = (
                re.sub(r"-\d+$", "", name[: (name.find("/", match.end()) + 1 or len(name) + 1) - 1]),
                "temporary",
            )
        elif name.rpartition("/")[2] in UNREAD:
            value = "unread"
        seen[name] = value
    return hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:16]


class Disk:
    """The folder as it is, and as it would be after a power loss."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.contents: dict[str, bytes] = {}
        self._digests: dict[tuple[int, ...], str] = {}
        self.synced_files: dict[int, str] = {}  # inode -> digest
        self.synced_folders: dict[int, dict[str, tuple[str, int]]] = {}  # inode -> name -> kind and inode
        self.folders()  # reads all files
        for folder in (root, *root.rglob("*/")):
            self.sync_folder(folder)
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.sync_file(path)

    def digest(self, path: Path) -> str:
        """Return the digest of a file, whose content is stored."""
        status = path.stat()
        known = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if known not in self._digests:
            content = path.read_bytes()
            self._digests[known] = value = hashlib.sha256(content).hexdigest()
            self.contents[value] = content
        return self._digests[known]

    def folders(self) -> dict[int, dict[str, tuple[str, int]]]:
        """List the entries of all folders, by inode."""
        return {folder.stat().st_ino: self._entries(folder) for folder in [self.root, *self.root.rglob("*/")]}

    def _entries(self, folder: Path) -> dict[str, tuple[str, int]]:
        entries = {}
        for entry in os.scandir(folder):
            if entry.is_symlink():
                kind = f"link {Path(entry.path).readlink()}"
            else:
                kind = "dir" if entry.is_dir() else self.digest(Path(entry.path))
            entries[entry.name] = (kind, entry.inode())
        return entries

    def tree(self) -> Tree:
        """The folder as a kill leaves it."""
        return _walk(self.folders(), lambda kind, inode: kind, self.root.stat().st_ino)

    def sync_file(self, path: Path) -> None:
        self.synced_files[path.stat().st_ino] = self.digest(path)

    def sync_folder(self, path: Path) -> None:
        self.synced_folders[path.stat().st_ino] = self._entries(path)

    def created(self, path: Path) -> None:
        """Forget what was durable of a former file or folder with the same inode."""
        inode = path.lstat().st_ino
        self.synced_files.pop(inode, None)
        self.synced_folders.pop(inode, None)

    def after_power_loss(self) -> dict[str, Tree]:
        """What a power loss may leave, by name: only what was synced; or other changes too, in any order."""
        empty = hashlib.sha256(b"").hexdigest()
        self.contents[empty] = b""
        now, before = self.folders(), self.synced_folders
        inodes = now.keys() | before.keys()
        changed = {
            "only synced data": (before, False),
            "folders ahead of files": (now, False),
            "files ahead of folders": (before, True),
            "new names only": ({n: {**before.get(n, {}), **now.get(n, {})} for n in inodes}, True),
            "removals only": ({n: _common(before.get(n, {}), now.get(n, {})) for n in inodes}, True),
        }
        current = {inode: kind for entries in now.values() for kind, inode in entries.values()}

        def content(kind: str, inode: int, written: bool) -> str:
            if kind == "dir" or kind.startswith("link "):
                return kind
            return current.get(inode, kind) if written else self.synced_files.get(inode, empty)

        root = self.root.stat().st_ino
        return {
            name: _walk(folders, lambda kind, inode, written=written: content(kind, inode, written), root)
            for name, (folders, written) in changed.items()
        }


def _common(before: Mapping, now: Mapping) -> dict:
    return {name: entry for name, entry in before.items() if name in now}


def _walk(folders: Mapping, content: Callable[[str, int], str], inode: int, prefix: str = "") -> dict[str, str]:
    tree = {}
    for name, (kind, child) in folders.get(inode, {}).items():
        value = content(kind, child)
        tree[prefix + name] = value
        if value == "dir":
            tree |= _walk(folders, content, child, f"{prefix}{name}/")
    return tree
