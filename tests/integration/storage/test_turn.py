"""Writers of one SQLite file take turns, in one process and between processes."""

import fcntl
import threading
from contextlib import suppress
from pathlib import Path

from digest.storage.engine import Database
from digest.storage.turn import Turn


def is_free(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_others_wait_while_a_transaction_writes(sqlite_db: Database) -> None:
    lock = Path(f"{sqlite_db.engine.url.database}.lock")

    with sqlite_db.write():
        during = is_free(lock)
    after = is_free(lock)

    assert (during, after) == (False, True)


def test_the_turn_ends_with_an_error(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "lock")

    def fail() -> None:
        with turn.taken():
            raise ZeroDivisionError

    with suppress(ZeroDivisionError):
        fail()

    turn.close()
    assert is_free(tmp_path / "lock")


def test_threads_of_one_process_take_turns_too(tmp_path: Path) -> None:
    turn, said = Turn(tmp_path / "lock"), list[str]()

    def take() -> None:
        with turn.taken():
            said.append("second")

    with turn.taken():
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(timeout=0.05)
        said.append("first")
    thread.join()

    turn.close()
    assert said == ["first", "second"]


def test_where_no_lock_file_can_be_made_sqlite_decides_alone(tmp_path: Path) -> None:
    turn = Turn(tmp_path / "missing" / "lock")

    with turn.taken():
        reached = True

    turn.close()
    assert reached


def test_a_database_in_memory_has_no_lock_file(tmp_path: Path) -> None:
    db = Database("sqlite://")

    with db.write() as tx:
        found = tx.exec_driver_sql("SELECT 1").scalar_one()

    db.close()
    assert found == 1
    assert list(tmp_path.iterdir()) == []
