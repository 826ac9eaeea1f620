"""The secret keys: made once, private, never replaced by themselves."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digest.care.keys import (
    create_keys,
    list_token_keys,
    make_private_folder,
    read_secrets,
    rotate_token_key,
    write_private,
)
from digest.domain.errors import SettingsError, StateError
from digest.domain.tokens import Purpose, TokenKeys
from tests.builders import NOW


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


def test_a_rotation_adds_a_key_that_signs_and_keeps_the_old_one(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    old = read_secrets(tmp_path).tokens
    link = old.issue(Purpose.UNSUBSCRIBE, 7)

    made = rotate_token_key(tmp_path)

    new = read_secrets(tmp_path).tokens
    assert (made.id, made.path.name, made.is_current) == (2, "token-2.key", True)
    assert mode(made.path) == 0o600
    assert new.current == 2
    assert new.issue(Purpose.UNSUBSCRIBE, 7) != link
    assert new.read(Purpose.UNSUBSCRIBE, link, now=NOW) is not None


def test_a_process_that_runs_on_reads_what_the_new_key_signed(tmp_path: Path) -> None:
    """A worker that was not restarted writes letters of a later release, too."""
    create_keys(tmp_path, in_use=False)
    running = read_secrets(tmp_path).tokens
    rotate_token_key(tmp_path)
    restarted = read_secrets(tmp_path).tokens

    link = restarted.issue(Purpose.UNSUBSCRIBE, 7)

    assert running.read(Purpose.UNSUBSCRIBE, link, now=NOW) is not None
    assert running.issue(Purpose.UNSUBSCRIBE, 7, key_id=2) == link
    assert running.current == 1


def test_a_token_of_no_key_looks_at_the_folder_at_most_once_a_second(
    tmp_path: Path,
) -> None:
    create_keys(tmp_path, in_use=False)
    running = read_secrets(tmp_path).tokens
    link = TokenKeys(current=9, keys={9: b"9" * 32}).issue(Purpose.UNSUBSCRIBE, 7)

    first = running.read(Purpose.UNSUBSCRIBE, link, now=NOW)
    rotate_token_key(tmp_path)
    with pytest.raises(KeyError):
        running.issue(Purpose.UNSUBSCRIBE, 7, key_id=2)

    assert first is None


def test_keys_are_listed_the_oldest_first(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    for _ in range(10):
        rotate_token_key(tmp_path)

    listed = list_token_keys(tmp_path)

    assert [key.id for key in listed] == [*range(1, 12)]
    assert [key.id for key in listed if key.is_current] == [11]


def test_no_more_keys_than_a_token_can_name(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)
    (tmp_path / "token-1.key").rename(tmp_path / "token-255.key")

    with pytest.raises(StateError, match="255 token keys"):
        rotate_token_key(tmp_path)


def test_the_keys_are_never_printed(tmp_path: Path) -> None:
    create_keys(tmp_path, in_use=False)

    assert repr(read_secrets(tmp_path).tokens.keys) == "<token keys [1]>"
