# SPDX-License-Identifier: Apache-2.0
"""Rejects in files: here and in a store, replaced by every try, deleted when their time has come."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rejected import RUN, keep, row

from airflow_provider_sendpulse.exceptions import InvalidRequest, RejectsNotWritten
from airflow_provider_sendpulse.rows import FileRows, RejectsFile
from airflow_provider_sendpulse.rows.rejects import COLUMNS, TaskRun
from airflow_provider_sendpulse.rows.rejects_spool import LONGEST, SpooledRejects

RETRY = dataclasses.replace(RUN, try_number=2)


@pytest.fixture(params=["csv", "jsonl"])
def suffix(request):
    return request.param


@pytest.fixture(params=["local", "url", "memory"])
def folder(request, tmp_path):
    """A folder that is not there yet, as part of a path."""
    if request.param == "memory":
        request.getfixturevalue("memory")
        yield f"memory://{tmp_path.name}/rejects"
    else:
        yield f"{'file://' if request.param == 'url' else ''}{tmp_path}/new/rejects"


@pytest.fixture
def memory():
    """A store that is not this machine's files, known to Airflow."""
    import fsspec
    from airflow.sdk.io import attach

    store = fsspec.filesystem("memory")
    attach("memory", fs=store)
    yield store
    store.store.clear()


def entries(path):
    """Read a file past the code under test."""
    from airflow.sdk import ObjectStoragePath

    place = ObjectStoragePath(str(path))
    if not place.exists():
        return None
    text = place.read_bytes().decode("utf-8")
    if str(path).endswith("jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    return [*csv.DictReader(text.splitlines(keepends=True))]


def numbers(path):
    found = entries(path)
    return found if found is None else [int(entry["source_row"]) for entry in found]


def test_what_is_written(folder, suffix):
    path = f"{folder}/add.{suffix}"
    run = TaskRun("a_dag", "manual__1", "add", map_index=3, try_number=2)
    keep(RejectsFile(path), row(7, "in_doubt", "lost", "7/Олена", "олена@example.com", "+380 44 000-00-01"), run=run)
    [entry] = entries(path)
    assert tuple(entry) == COLUMNS
    told = {name: str(entry[name]) for name in COLUMNS[:11]}
    assert told == {
        "dag_id": "a_dag",
        "run_id": "manual__1",
        "task_id": "add",
        "map_index": "3",
        "try_number": "2",
        "source_row": "7",
        "outcome": "in_doubt",
        "row_key": "7/Олена",
        "reason": "lost",
        "email": "олена@example.com",
        "phone": "+380 44 000-00-01",
    }
    recorded, expires = (datetime.fromisoformat(entry[name]) for name in ("recorded_at", "expires_at"))
    assert abs(datetime.now(UTC) - recorded) < timedelta(minutes=1)
    assert expires - recorded == timedelta(days=30)


def test_a_retry_replaces_the_account(folder, suffix):
    place = RejectsFile(f"{folder}/add.{suffix}")
    keep(place, row(1), row(2))
    keep(place, row(2), row(3), run=RETRY)
    assert numbers(place.path) == [2, 3]
    keep(place, row(2), row(3), run=RETRY)
    assert numbers(place.path) == [2, 3]


def test_an_empty_account_removes_that_of_an_earlier_try(folder, suffix):
    place = RejectsFile(f"{folder}/add.{suffix}")
    keep(place, row(1))
    keep(place, run=RETRY)
    assert entries(place.path) is None
    keep(place, run=RETRY)
    assert entries(place.path) is None


def test_without_retention_it_is_kept_for_good(folder, suffix):
    place = RejectsFile(f"{folder}/add.{suffix}", retention=None)
    keep(place, row(1))
    keep(place, row(1))
    assert entries(place.path)[0]["expires_at"] in (None, "")


def test_only_the_owner_can_read_it(tmp_path, suffix):
    (tmp_path / "there").mkdir(mode=0o755)
    path = tmp_path / "there" / "a" / "b" / f"add.{suffix}"
    before = os.umask(0)
    try:
        keep(RejectsFile(path), row(1))
        modes = {part.name: stat.S_IMODE(part.stat().st_mode) for part in (path, path.parent, path.parent.parent)}
    finally:
        os.umask(before)
    assert modes == {path.name: 0o600, "b": 0o700, "a": 0o700}
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) & 0o755 == 0o755
    assert [part.name for part in path.parent.iterdir()] == [path.name]


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(tmp_path):
    path = tmp_path / "add.csv"
    keep(RejectsFile(path), row(1))
    path.chmod(0o644)
    keep(RejectsFile(path), row(2))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# What stands there already.


@pytest.mark.parametrize("content", ["email\nada@example.com\n", "\n", "{}\n", '{"dag_id": 1}\n', "[1]\n", "\x00\xff", "{"])
def test_a_file_of_somebody_else_is_not_overwritten(tmp_path, suffix, content):
    path = tmp_path / f"customers.{suffix}"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InvalidRequest, match=r"exists and holds no rejects: it is not overwritten"):
        keep(RejectsFile(path), row(1))
    assert path.read_text(encoding="latin-1") == content


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path, suffix):
    path = tmp_path / f"customers.{suffix}"
    place = RejectsFile(path)
    place.prepare(RUN)
    rejects = SpooledRejects(place, RUN, None)
    rejects.write(row(1))
    path.write_text("mine\n")
    with pytest.raises(RejectsNotWritten, match="holds no rejects"):
        rejects.close()
    assert path.read_text() == "mine\n"


def test_an_empty_file_may_be_used(tmp_path, suffix):
    path = tmp_path / f"add.{suffix}"
    path.touch()
    keep(RejectsFile(path), row(1))
    assert numbers(path) == [1]


@pytest.mark.parametrize("other", [{"task_id": "other"}, {"map_index": 1}, {"dag_id": "other"}])
def test_the_file_of_another_task_is_not_overwritten(folder, suffix, other):
    place = RejectsFile(f"{folder}/add.{suffix}")
    keep(place, row(1))
    with pytest.raises(InvalidRequest, match=r"holds the rejects of another task .*ti\.map_index"):
        keep(place, row(2), run=dataclasses.replace(RUN, **other))
    assert numbers(place.path) == [1]


def test_another_run_of_the_task_replaces_it(folder, suffix):
    place = RejectsFile(f"{folder}/add.{suffix}")
    keep(place, row(1))
    keep(place, row(2), run=dataclasses.replace(RUN, run_id="scheduled__2026-01-06"))
    assert numbers(place.path) == [2]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    target, path = tmp_path / "target.csv", tmp_path / "add.csv"
    keep(RejectsFile(target), row(1))
    before = target.read_bytes()
    path.symlink_to(target)
    keep(RejectsFile(path), row(2))
    assert target.read_bytes() == before
    assert not path.is_symlink()


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "add.csv").mkdir()
    with pytest.raises(InvalidRequest, match="holds no rejects"):
        keep(RejectsFile(tmp_path / "add.csv"), row(1))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("add.csv", "neither absolute nor a URL"),
        ("", "neither absolute nor a URL"),
        ("/x/add.txt", r"ends in \.csv or \.jsonl"),
        ("/x/", r"ends in \.csv or \.jsonl"),
        ("s3://key:secret@bucket/add.csv", "holds a password"),
        ("file://host/add.csv", "names a host"),
        ("nowhere://bucket/add.csv", r"\(nowhere\) is not available here"),
    ],
)
def test_paths_that_cannot_be_meant(path, told):
    with pytest.raises(InvalidRequest, match=told) as caught:
        RejectsFile(path).prepare(RUN)
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_found_before_anything_is_sent(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidRequest, match="may write to"):
        RejectsFile(tmp_path / "x" / "add.csv").prepare(RUN)


def test_a_file_in_place_of_a_folder_is_found_before_anything_is_sent(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(InvalidRequest, match="is not a folder"):
        RejectsFile(tmp_path / "x" / "add.csv").prepare(RUN)


# What goes wrong.


def test_a_failure_is_told_and_shows_no_address(folder, suffix, monkeypatch):
    from airflow.sdk import ObjectStoragePath

    place = RejectsFile(f"{folder}/add.{suffix}")

    def refuse(*_, **__):
        raise PermissionError("no place for reader1@example.com")

    place.prepare(RUN)
    rejects = SpooledRejects(place, RUN, None)
    rejects.write(row(1))
    monkeypatch.setattr(ObjectStoragePath, "open", refuse)
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RejectsNotWritten, match=r"could not be written to .*: PermissionError") as caught:
        rejects.close()
    assert "reader1" not in str(caught.value)
    assert caught.value.__context__ is None


def test_what_was_there_stays_when_writing_fails(tmp_path, suffix, monkeypatch):
    place = RejectsFile(tmp_path / f"add.{suffix}")
    keep(place, row(1))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RejectsNotWritten, match="No space left"):
        keep(place, row(2))
    assert numbers(place.path) == [1]
    assert [path.name for path in tmp_path.iterdir()] == [f"add.{suffix}"]


def test_a_full_disk_while_rows_are_taken_is_told_at_the_end(tmp_path):
    place = RejectsFile(tmp_path / "add.csv")
    rejects = SpooledRejects(place, RUN, None)

    class Full:
        def __getattr__(self, name):
            return getattr(spool, name)

        def add(self, values):
            raise OSError(28, "No space left on device")

    spool, rejects._spool = rejects._spool, Full()
    rejects.write(row(1))
    rejects.write(row(2))
    with pytest.raises(RejectsNotWritten, match="No space left"):
        rejects.close()
    assert not (tmp_path / "add.csv").exists()


def test_the_spool_has_no_name_and_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    rejects = SpooledRejects(RejectsFile(tmp_path / "add.csv"), RUN, None)
    rejects.write(row(1))
    status = os.fstat(rejects._spool._file.fileno())  # who asks for its number gets a file on the disk
    assert [*tmp_path.iterdir()] == []
    assert stat.S_IMODE(status.st_mode) == 0o600
    rejects.close()


def test_a_killed_process_leaves_no_addresses_behind(tmp_path):
    code = """
        import os, signal, sys
        sys.path[:0] = sys.argv[2:]
        from rejected import RUN, row
        from airflow_provider_sendpulse.rows import RejectsFile
        from airflow_provider_sendpulse.rows.rejects_spool import SpooledRejects
        rejects = SpooledRejects(RejectsFile(f"{sys.argv[1]}/out/add.csv"), RUN, None)
        for number in range(10_000):
            rejects.write(row(number))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), *sys.path], env=environment, check=False, timeout=60
    )
    assert ended.returncode == -9
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_memory_does_not_grow_with_the_rejects(tmp_path, suffix):
    code = """
        import resource, sys
        sys.path[:0] = sys.argv[3:]
        from rejected import RUN, keep, row
        from airflow_provider_sendpulse.rows import RejectsFile
        place = RejectsFile(sys.argv[1])
        keep(place, *(row(number) for number in range(100)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        from airflow_provider_sendpulse.rows.rejects_spool import SpooledRejects
        rejects = SpooledRejects(place, RUN, None)
        for number in range(int(sys.argv[2])):
            rejects.write(row(number))
        rejects.close()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    path = tmp_path / f"add.{suffix}"
    grown = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(path), "100000", *sys.path],
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert path.stat().st_size > 10_000_000
    assert int(grown.stdout.split()[-1]) < 5_000  # KB
    with path.open() as stream:
        assert sum(1 for _ in stream) == 100_000 + (suffix == "csv")


# Retention.


def aged(path, days):
    """Make a file look as old as it would be."""
    moment = datetime.now(UTC).timestamp() - days * 86400
    os.utime(path, (moment, moment))


def written(path, days, run=RUN, retention=timedelta(days=30)):
    """Leave a file as it was written days ago."""
    place = RejectsFile(path, retention=retention)
    keep(place, row(1), run=run)
    text = Path(path).read_text()
    for entry_name in ("recorded_at", "expires_at"):
        moment = entries(path)[0][entry_name]
        if moment:
            earlier = datetime.fromisoformat(moment) - timedelta(days=days)
            text = text.replace(moment, earlier.strftime("%Y-%m-%dT%H:%M:%SZ"))
    Path(path).write_text(text)
    aged(path, days)


def test_what_is_too_old_is_deleted(tmp_path, suffix):
    written(tmp_path / f"a.{suffix}", 31, run=dataclasses.replace(RUN, run_id="1"))
    written(tmp_path / f"b.{suffix}", 29, run=dataclasses.replace(RUN, run_id="2"))
    keep(RejectsFile(tmp_path / f"c.{suffix}"), row(1))
    assert {path.name for path in tmp_path.iterdir()} == {f"b.{suffix}", f"c.{suffix}"}


def test_what_a_killed_process_left_is_deleted_in_its_time(tmp_path, suffix):
    written(tmp_path / f"a.{suffix}", 31)
    (tmp_path / f"a.{suffix}").rename(tmp_path / f".a.part.{suffix}")
    keep(RejectsFile(tmp_path / f"c.{suffix}"))
    assert [*tmp_path.iterdir()] == []


def test_nothing_else_is_deleted(tmp_path, suffix):
    other = {"csv": "jsonl", "jsonl": "csv"}[suffix]
    (tmp_path / "below").mkdir()
    (tmp_path / f"folder.{suffix}").mkdir()
    written(tmp_path / "below" / f"a.{suffix}", 90)
    written(tmp_path / f"a.{other}", 90)
    written(tmp_path / f"longer.{suffix}", 90, retention=timedelta(days=365))
    written(tmp_path / f"for_ever.{suffix}", 90, retention=None)
    (tmp_path / f"customers.{suffix}").write_text("email,expires_at\nada@example.com,2020-01-01T00:00:00Z\n")
    (tmp_path / f"object.{suffix}").write_text('{"expires_at": "2020-01-01T00:00:00Z"}\n')
    (tmp_path / f"header.{suffix}").write_text(",".join(COLUMNS) + "\n")
    (tmp_path / f"short.{suffix}").write_text(",".join(COLUMNS) + "\na,b\n")
    (tmp_path / f"binary.{suffix}").write_bytes(bytes(range(256)))
    (tmp_path / f"empty.{suffix}").touch()
    (tmp_path / f"link.{suffix}").symlink_to(tmp_path / "below" / f"a.{suffix}")
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.is_symlink():
            aged(path, 90)
    before = set(tmp_path.rglob("*"))
    keep(RejectsFile(tmp_path / f"now.{suffix}"), row(1))
    assert set(tmp_path.rglob("*")) == before | {tmp_path / f"now.{suffix}"}


def test_a_task_that_keeps_for_good_deletes_nothing(tmp_path):
    written(tmp_path / "a.csv", 90)
    keep(RejectsFile(tmp_path / "b.csv", retention=None), row(1))
    assert (tmp_path / "a.csv").exists()


def test_retention_in_a_store(memory, monkeypatch):
    soon = RejectsFile("memory://bucket/rejects/soon.csv", retention=timedelta(seconds=-5))
    with monkeypatch.context() as patches:
        patches.setattr(RejectsFile, "expire", lambda *_: 0)
        keep(soon, row(1), run=dataclasses.replace(RUN, run_id="1"))
    memory.pipe("/bucket/rejects/customers.csv", b"email\n")
    keep(RejectsFile("memory://bucket/rejects/new.csv", retention=timedelta(seconds=-5)), row(1))
    # The second one is too old as soon as it is there.
    assert memory.find("/bucket") == ["/bucket/rejects/customers.csv"]


def test_old_files_that_cannot_be_deleted_are_warned_of(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(RejectsFile, "expire", lambda *_: (_ for _ in ()).throw(PermissionError("no")))
    keep(RejectsFile(tmp_path / "add.csv"), row(1))
    assert numbers(tmp_path / "add.csv") == [1]
    [record] = caplog.records
    assert (record.levelname, "could not be deleted: PermissionError: no" in record.getMessage()) == ("WARNING", True)


# Values.

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "'", "+1+1", "+38x"]


@pytest.mark.parametrize("value", FORMULAS)
def test_no_value_is_a_formula(tmp_path, value):
    keep(RejectsFile(tmp_path / "add.csv"), row(1, reason=value, key=value, email=value, phone=value))
    [entry] = entries(tmp_path / "add.csv")
    assert {entry[name] for name in ("reason", "row_key", "email", "phone")} == {f"'{value}"}


@pytest.mark.parametrize("value", ["+380 (44) 000-00-01", "+380440000001", "ada@example.com", "a=b", ""])
def test_other_values_stay_as_they_are(tmp_path, value):
    keep(RejectsFile(tmp_path / "add.csv"), row(1, phone=value))
    assert entries(tmp_path / "add.csv")[0]["phone"] == value


def test_broken_text_is_written(tmp_path, suffix):
    keep(RejectsFile(tmp_path / f"add.{suffix}"), row(1, email="a\ud83d\0@example.com", key="x" * 5000))
    [entry] = entries(tmp_path / f"add.{suffix}")
    assert entry["email"] == "a\\ud83d\\x00@example.com"
    assert entry["row_key"] == "x" * LONGEST + "…"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(values=st.lists(st.text(max_size=30), min_size=4, max_size=4))
def test_any_text_comes_back(tmp_path, suffix, values):
    path = tmp_path / f"add.{suffix}"
    reason, key, email, phone = values
    keep(RejectsFile(path), row(1, reason=reason, key=key, email=email, phone=phone))
    keep(RejectsFile(path), row(1, reason=reason, key=key, email=email, phone=phone))  # so it is recognised
    [entry] = FileRows(path).rows()
    found = [entry[name] for name in ("reason", "row_key", "email", "phone")]
    if suffix == "csv":
        found = [value.removeprefix("'") for value in found]
    assert found == [value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00") for value in values]


def test_its_text_says_where(tmp_path):
    place = RejectsFile("/rejects/{{ run_id }}.csv")
    assert (str(place), repr(place)) == ("/rejects/{{ run_id }}.csv", "RejectsFile('/rejects/{{ run_id }}.csv')")
    assert RejectsFile.template_fields == ("path",)
