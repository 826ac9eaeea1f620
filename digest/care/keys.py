"""The secret keys under `HOME/keys`: made once, never replaced by themselves."""

import math
import os
import secrets as random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digest.domain.errors import SettingsError, StateError
from digest.domain.secrets import Secrets
from digest.domain.tokens import KEY_OCTETS, MOST_KEYS, TokenKeys

_TOKEN_KEY = "token-{}.key"  # noqa: S105 - a file name
_ADDRESS_KEY = "address.key"
_BETWEEN_LOOKS = 1.0  # seconds
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


@dataclass(frozen=True, kw_only=True)
class TokenKeyFile:
    """One token key on disk.

    Attributes:
        id: What tokens name it by.
        path: Its file.
        made_at: When the file was written.
        is_current: New tokens are signed with it, once a process was started anew.
    """

    id: int
    path: Path
    made_at: datetime
    is_current: bool


def list_token_keys(folder: Path) -> list[TokenKeyFile]:
    """List the token keys of a folder, the oldest first."""
    ids = sorted(_read_token_keys(folder))
    paths = {key_id: folder / _TOKEN_KEY.format(key_id) for key_id in ids}
    return [
        TokenKeyFile(
            id=key_id,
            path=path,
            made_at=datetime.fromtimestamp(path.stat().st_mtime, tz=UTC),
            is_current=key_id == ids[-1],
        )
        for key_id, path in paths.items()
    ]


def rotate_token_key(folder: Path) -> TokenKeyFile:
    """Make a new token key, which is the current one from then on.

    The old ones stay: links in letters that were sent work for ever (check U10).

    Raises:
        SettingsError: There are no keys yet, or one is damaged.
        StateError: There are as many as tokens can name, or somebody else made the
            same one just now.
    """
    newest = read_secrets(folder).tokens.current
    if newest == MOST_KEYS:
        raise StateError(f"There are {MOST_KEYS} token keys, and no more can be named.")
    path = folder / _TOKEN_KEY.format(newest + 1)
    if not _make_key(path):
        raise StateError(
            f"Somebody else made {path} just now.", "See: digest keys list"
        )
    return list_token_keys(folder)[-1]


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
    keys = _read_token_keys(folder)
    if not keys:
        raise SettingsError(f"There are no token keys in {folder}.", "Run: digest init")
    return Secrets(
        tokens=TokenKeys(current=max(keys), keys=_Ring(folder, keys)),
        address_key=_read_key(folder / _ADDRESS_KEY),
    )


class _Ring(Mapping[int, bytes]):
    """The token keys of a folder, of which more may appear.

    A process that runs on reads what one that was started after a rotation signed.
    """

    def __init__(self, folder: Path, keys: Mapping[int, bytes]) -> None:
        self._folder = folder
        self._keys = dict(keys)
        self._looked_at = -math.inf

    def __getitem__(self, key_id: int) -> bytes:
        if key_id not in self._keys:
            self._look()
        return self._keys[key_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<token keys {sorted(self._keys)}>"  # never what they are

    def _look(self) -> None:
        # A forged token may name any key: it costs a look at a folder at most.
        if time.monotonic() - self._looked_at >= _BETWEEN_LOOKS:
            self._looked_at = time.monotonic()
            self._keys |= _read_token_keys(self._folder)


def _read_token_keys(folder: Path) -> dict[int, bytes]:
    return {
        int(path.stem.removeprefix("token-")): _read_key(path)
        for path in folder.glob(_TOKEN_KEY.format("[0-9]*"))
    }


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
