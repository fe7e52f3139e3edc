from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gdq_core.errors import OutputError
from gdq_core.files.drafts import DraftFile, draft_file, draft_folder, save_bytes
from gdq_core.files.outputs import Output


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def bundle(path: Path) -> Output:
    return Output(path, "a bundle", lambda folder: (folder / "manifest").exists(), is_folder=True)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def filled(target: Path, content: str, *, overwrite: bool = False) -> Iterator[None]:
    with draft_folder(bundle(target), overwrite=overwrite) as folder:
        (folder / "manifest").write_text(content)
        yield


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    with draft_file(tmp_path / "a") as draft:
        draft.write_text("new")
        assert not (tmp_path / "a").exists()
        assert draft.parent == tmp_path
    assert (tmp_path / "a").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_a_file_or_folder_that_was_given_up(
    error: type[BaseException], tmp_path: Path
) -> None:
    def give_up_a_file() -> None:
        with draft_file(tmp_path / "a") as draft:
            draft.write_text("half")
            raise error

    (tmp_path / "a").write_text("old")
    with pytest.raises(error):
        give_up_a_file()
    with pytest.raises(error), filled(tmp_path / "b", "half"):
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_new_file_obeys_the_umask_and_a_replaced_one_keeps_its_mode(
    tmp_path: Path, umask: int
) -> None:
    target = tmp_path / "a"
    save_bytes(target, b"new")
    assert mode(target) == 0o666 & ~umask
    for kept in (0o600, 0o664, 0o444, 0o755):
        target.chmod(kept)
        save_bytes(target, b"newer")
        assert mode(target) == kept


def test_a_private_file_is_private_while_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("secret")
    (tmp_path / "a").chmod(0o600)
    with draft_file(tmp_path / "a") as draft:
        assert mode(draft) == 0o600


def test_a_new_folder_obeys_the_umask_and_a_replaced_one_keeps_its_mode(
    tmp_path: Path, umask: int
) -> None:
    target = tmp_path / "bundle"
    with filled(target, "old"):
        pass
    assert mode(target) == 0o777 & ~umask
    target.chmod(0o700)
    with filled(target, "new", overwrite=True):
        assert (target / "manifest").read_text() == "old"
    assert (mode(target), (target / "manifest").read_text()) == (0o700, "new")
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_was_put_there_meanwhile_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "bundle"

    def fill_too_late() -> None:
        with filled(target, "new"):
            target.mkdir()
            (target / "dear").write_text("dear")

    with pytest.raises(OutputError, match="exists"):
        fill_too_late()
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "dear"]


def test_what_the_system_refuses_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="taken cannot be written: Is a directory"):
        save_bytes(tmp_path / "taken", b"")
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        save_bytes(tmp_path / "absent" / "a", b"")
    assert [path.name for path in tmp_path.rglob("*")] == ["taken"]


def test_a_draft_that_was_never_created_can_be_discarded(tmp_path: Path) -> None:
    DraftFile(tmp_path / "absent" / "a").discard()


def test_a_name_of_the_largest_length(tmp_path: Path) -> None:
    save_bytes(tmp_path / ("n" * 255), b"new")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]
