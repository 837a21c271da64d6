# SPDX-License-Identifier: Apache-2.0
"""Rows of CSV and JSON Lines files."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import textwrap

import pytest
from told import told

from airflow_provider_sendpulse.exceptions import InvalidRequest
from airflow_provider_sendpulse.rows import FileRows, RowSource
from airflow_provider_sendpulse.rows.people import Columns, people


@pytest.fixture
def write(tmp_path):
    def make(content, name="readers.csv"):
        path = tmp_path / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return make


def read(path, **arguments):
    return [*FileRows(path, **arguments).rows()]


@pytest.mark.parametrize("name", ["readers.csv", "readers.csv.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv(write, name, end):
    lines = ["email, name ,city", 'ada@example.com,"Lovelace, Ada",', "", 'bob@example.com,"two\nlines",Київ']
    assert read(write(end.join(lines) + end, name)) == [
        {"email": "ada@example.com", "name": "Lovelace, Ada", "city": ""},
        {"email": "bob@example.com", "name": "two\nlines", "city": "Київ"},
    ]


@pytest.mark.parametrize("name", ["readers.jsonl", "readers.jsonl.gz"])
def test_json_lines(write, name):
    rows = [{"email": "ada@example.com", "age": 36, "tags": None}, {"email": "боб@example.com"}]
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert read(write(text, name)) == rows


def test_a_url(write):
    assert read(f"file://{write('email')}") == []
    assert isinstance(FileRows("/x.csv"), RowSource)


def test_read_again_from_the_beginning(write):
    source = FileRows(write("email\nada@example.com\n"))
    assert [*source.rows()] == [*source.rows()] == [{"email": "ada@example.com"}]


def test_a_byte_order_mark_is_no_part_of_a_name(write):
    assert read(write(b"\xef\xbb\xbfemail\nada@example.com\n")) == [{"email": "ada@example.com"}]


def test_encoding_and_delimiter(write):
    path = write("email;name\nada@example.com;Ада\n".encode("cp1251"))
    assert read(path, encoding="cp1251", delimiter=";") == [{"email": "ada@example.com", "name": "Ада"}]


def test_columns_are_renamed(write):
    path = write("E-mail,Name\nada@example.com,Ada\n")
    assert read(path, columns={"E-mail": "email"}) == [{"email": "ada@example.com", "Name": "Ada"}]
    path = write('{"E-mail": "ada@example.com", "Name": "Ada"}', "x.jsonl")
    assert read(path, columns={"E-mail": "email"}) == [{"email": "ada@example.com", "Name": "Ada"}]


def test_columns_without_a_header(write):
    assert read(write("ada@example.com,Ada\n"), columns=["email", "name"]) == [{"email": "ada@example.com", "name": "Ada"}]


@pytest.mark.parametrize(
    ("content", "arguments", "told"),
    [
        ("email,name\nada@example.com\n", {}, r"Line 2: 1 values, and there are 2 columns\."),
        ('email,name\n"a\nb",x\nada@example.com\n', {}, r"Line 4: 1 values"),
        ("email,email\n", {}, "Line 1: more than one column named email"),
        ("a,b\n", {"columns": {"a": "b"}}, "more than one column named b"),
        ("a,b\n", {"columns": {"c": "d"}}, "The file has no column c; it has a, b"),
        ('email\n"ada@example.com\n', {}, "Line 2: unexpected end of data"),
        ('email\n"ada"x@example.com\n', {}, r"Line 2: .* expected after"),
        (b"email\nada\xff@example.com\n", {}, "After line 0: the text is not in the encoding"),
        ("email\n" + "x" * 200_000, {}, "Line 2: field larger than field limit"),
        ("email\n" + "x" * 1_000_001, {}, "Line 2: longer than 1,000,000 characters"),
        ("email\n", {"encoding": "unheard-of"}, "no encoding unheard-of"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line(write, content, arguments, told):
    with pytest.raises(InvalidRequest, match=told) as caught:
        read(write(content), **arguments)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("line", ["{", "[]", '"ada@example.com"', "1", "null", "[" * 100_000, '{"a": NaN}x'])
def test_lines_that_are_no_objects(write, line):
    with pytest.raises(InvalidRequest, match=r"Line 2: not a JSON object\.") as caught:
        read(write(f'{{"email": "bob@example.com"}}\n{line}\n', "x.jsonl"))
    assert caught.value.__context__ is None


def test_rows_before_a_fault_are_read(write):
    rows = FileRows(write("email\nada@example.com\na,b\n")).rows()
    assert next(rows) == {"email": "ada@example.com"}
    with pytest.raises(InvalidRequest, match="Line 3"):
        next(rows)


@pytest.mark.parametrize("cut", [5, -9])
def test_a_damaged_archive(tmp_path, cut):
    path = tmp_path / "x.csv.gz"
    data = gzip.compress(b"email\n" + b"".join(b"reader%d@example.com\n" % number for number in range(5000)))
    path.write_bytes(data[:cut])
    with pytest.raises(InvalidRequest, match="the compressed file is damaged here"):
        read(str(path))


def test_no_archive(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(b"email\n")
    with pytest.raises(InvalidRequest, match="damaged"):
        read(str(tmp_path / "x.csv.gz"))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/nowhere/readers.csv", "There is no file /nowhere/readers.csv"),
        ("readers.csv", "neither absolute nor a URL"),
        ("/readers.xlsx", "readers.xlsx ends in neither .csv nor .jsonl"),
        ("s3://key:secret@bucket/readers.csv", "holds a password"),
    ],
)
def test_paths_that_cannot_be_meant(path, told):
    with pytest.raises(InvalidRequest, match=told):
        read(path)


def test_the_file_is_closed_when_reading_stops_early(write):
    # pytest fails on a file that is left open.
    rows = FileRows(write("email\na@example.com\nb@example.com\n")).rows()
    next(rows)
    rows.close()


def test_its_text_says_where_rows_come_from():
    assert str(FileRows("/data/{{ ds }}.csv")) == "FileRows('/data/{{ ds }}.csv')"
    assert FileRows.template_fields == ("path",)


def test_memory_does_not_grow_with_the_rows(tmp_path):
    code = """
        import resource, sys
        sys.path[:0] = sys.argv[2:]
        from airflow_provider_sendpulse.rows import FileRows
        path = sys.argv[1]
        with open(path, "w") as stream:
            stream.write("email,name\\n" + "a@example.com,Ada\\n" * 10)
        count = sum(1 for _ in FileRows(path).rows())
        with open(path, "w") as stream:
            stream.write("email,name\\n")
            stream.writelines(f"reader{number}@example.com,Reader {number}\\n" for number in range(300_000))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(sum(1 for _ in FileRows(path).rows()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "x.csv"), *sys.path]
    said = subprocess.run(arguments, check=True, timeout=120, capture_output=True, text=True).stdout.split()
    assert int(said[-2]) == 300_000
    assert int(said[-1]) < 5_000  # KB


@pytest.mark.parametrize(
    "first",
    [
        "secret@example.com,Olena,Olena",
        "Olena,+38 (050) 123-45-67,Olena",
        "Olena,380501234567,Olena",
        "Olena,12 Hidden Street,Olena",
        "Olena,secret_at_example,Olena1234567",
    ],
)
@pytest.mark.parametrize("columns", [None, {"E-mail": "email"}])
def test_a_first_row_that_is_no_header_is_told_to_nobody(write, caplog, first, columns):
    for line in (first, first.replace("Olena", "Petro", 1)):
        with pytest.raises(InvalidRequest) as caught:
            [*people(FileRows(str(write(line + "\n" + line + "\n")), columns=columns).rows(), Columns())]
        assert "3 columns" in str(caught.value)
        assert "columns=[…]" in str(caught.value)
        everything = told(caught.value).partition("Traceback")[0] + str(caught.value) + caplog.text
        assert not [value for value in [*line.split(","), "secret", "050"] if value in everything]


@pytest.mark.parametrize("names", ["E-mail,Ім'я,Дата народження", "cart_id,sum.total,step2"])
def test_a_header_is_shown(write, names):
    with pytest.raises(InvalidRequest) as caught:
        [*people(FileRows(str(write(names + "\n1,2,3\n"))).rows(), Columns())]
    assert str(caught.value).endswith(f"they have {names.replace(',', ', ')}.")
