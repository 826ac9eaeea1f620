"""The secret keys under `HOME/keys`: made once, never replaced by themselves."""

import os
import secrets as random
from pathlib import Path

from digest.domain.errors import SettingsError, StateError
from digest.domain.secrets import Secrets
from digest.domain.tokens import KEY_OCTETS, TokenKeys

_TOKEN_KEY = "token-{}.key"  # noqa: S105 - a file name
_ADDRESS_KEY = "address.key"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, or take others' rights away."""
    path.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    if path.stat().st_mode & 0o077:
        path.chmod(_PRIVATE_FOLDER)


def create_keys(folder: Path, *, in_use: bool) -> tuple[list[str], list[str]]:
    """Make the secret keys that are missing; existing ones are kept.

    Args:
        folder: `HOME/keys`, which exists.
        in_use: The database was set up already: its rows rely on the keys.

    Returns:
        The names of the files made, and of those kept.

    Raises:
        StateError: A key is missing though the database relies on it.
    """
    tokens = sorted(p.name for p in folder.glob(_TOKEN_KEY.format("[0-9]*")))
    wanted = [*(tokens or [_TOKEN_KEY.format(1)]), _ADDRESS_KEY]
    missing = [name for name in wanted if not (folder / name).exists()]
    if missing and in_use:
        raise StateError(
            f"The database is in use but {folder / missing[0]} is lost.",
            "Restore it from the backup: a new one would void links already sent "
            "and forget who must never be written to.",
        )
    made = [name for name in missing if _make_key(folder / name)]
    kept = [name for name in wanted if name not in made]
    for name in kept:
        (folder / name).chmod(_PRIVATE_FILE)
    return made, kept


def _make_key(path: Path) -> bool:
    """Write a new key; False where another `init` was quicker."""
    try:
        write_private(path, random.token_hex(KEY_OCTETS).encode() + b"\n")
    except FileExistsError:
        return False
    return True


def write_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises:
        FileExistsError: It is there already and `replace` is not set.
    """
    draft = path.with_name(f".{path.name}.{random.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            # A link fails where the name is taken: two `init` at once must not
            # each believe in a key of its own.
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_secrets(folder: Path) -> Secrets:
    """Load the keys under `HOME/keys`.

    Raises:
        SettingsError: One is missing or has the wrong size.
    """
    keys = {
        int(path.stem.removeprefix("token-")): _read_key(path)
        for path in folder.glob(_TOKEN_KEY.format("[0-9]*"))
    }
    if not keys:
        raise SettingsError(f"There are no token keys in {folder}.", "Run: digest init")
    return Secrets(
        tokens=TokenKeys(current=max(keys), keys=keys),
        address_key=_read_key(folder / _ADDRESS_KEY),
    )


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_OCTETS:
        raise SettingsError(
            f"The key {path} is missing or damaged.",
            "Restore it from the backup; a new one would void links already sent.",
        )
    return key
