"""The secret keys: made once, private, never replaced by themselves."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digest.care.keys import (
    create_keys,
    make_private_folder,
    read_secrets,
    write_private,
)
from digest.domain.errors import SettingsError, StateError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_makes_both_keys_for_their_owner_alone(tmp_path: Path) -> None:
    made, kept = create_keys(tmp_path, in_use=False)

    assert (made, kept) == (["token-1.key", "address.key"], [])
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_keeps_what_is_there(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    before = read_secrets(tmp_path)

    made, kept = create_keys(tmp_path, in_use=True)

    assert (made, kept) == ([], ["token-1.key", "address.key"])
    assert read_secrets(tmp_path) == before


def test_completes_a_half_made_set(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    (tmp_path / "address.key").unlink()

    made, _ = create_keys(tmp_path, in_use=False)

    assert made == ["address.key"]


def test_never_replaces_a_lost_key_of_a_database_in_use(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    (tmp_path / "address.key").unlink()

    with pytest.raises(StateError, match=r"address\.key is lost"):
        create_keys(tmp_path, in_use=True)

    assert not (tmp_path / "address.key").exists()


def test_takes_others_rights_away(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    (tmp_path / "address.key").chmod(0o644)
    tmp_path.chmod(0o755)

    make_private_folder(tmp_path)
    create_keys(tmp_path, in_use=True)

    assert (mode(tmp_path), mode(tmp_path / "address.key")) == (0o700, 0o600)


def test_a_rotated_key_set_signs_with_the_newest(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    write_private(tmp_path / "token-2.key", b"22" * 32)

    secrets = read_secrets(tmp_path)

    assert secrets.tokens.current == 2
    assert set(secrets.tokens.keys) == {1, 2}


def test_a_private_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_private(path, b"one")

    with pytest.raises(FileExistsError):
        write_private(path, b"two")
    assert path.read_bytes() == b"one"

    write_private(path, b"three", replace=True)
    assert path.read_bytes() == b"three"
    assert list(tmp_path.iterdir()) == [path]


def test_keys_made_by_many_at_once_are_one_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        done = list(
            threads.map(lambda _: create_keys(tmp_path, in_use=False), range(8))
        )

    made = sorted(name for names, _ in done for name in names)
    assert made == ["address.key", "token-1.key"]


def test_no_keys_at_all_says_init(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="digest init"):
        read_secrets(tmp_path)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_a_damaged_key_is_refused(content: str, tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    (tmp_path / "token-1.key").write_text(content)

    with pytest.raises(SettingsError, match="missing or damaged"):
        read_secrets(tmp_path)
