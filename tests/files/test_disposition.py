"""What parts of forms are named, and their files."""

import time

import pytest

from server.files.disposition import Disposition, disposition_of


@pytest.mark.parametrize(
    ("header", "name", "filename"),
    [
        ('form-data; name="file"; filename="a.txt"', "file", "a.txt"),
        ("form-data; name=file; filename=a.txt", "file", "a.txt"),
        ('Form-Data; NAME="file"', "file", None),
        ('form-data; name="file"; filename=""', "file", ""),
        ('form-data; name="file"; filename="a;b; c=\'d\';.txt"', "file", "a;b; c='d';.txt"),
        ('form-data; name="file"; filename="say \\"hi\\".txt"', "file", 'say "hi".txt'),
        ('form-data; name="file"; filename="привет.txt"', "file", "привет.txt"),
        ("form-data; name=file; filename*=UTF-8''%D0%B6.txt", "file", "ж.txt"),
        ("form-data; name=file; filename=x; filename*=UTF-8''%D0%B6.txt", "file", "ж.txt"),
        ("form-data; name=file; filename*=UTF-8''%D0%B6.txt; filename=x", "file", "ж.txt"),
        ("form-data; name=file; filename*=nonsense''a.txt", "file", "a.txt"),
        ('form-data; name="file"; filename="..%2F%D0%B6.txt"', "file", "../ж.txt"),
        ('form-data; name="file"; filename="100%25 sure.txt"', "file", "100%25 sure.txt"),
        ('form-data; name="file"; filename="50%.txt"', "file", "50%.txt"),
        ('form-data; name="file"; filename="\udcff.txt"', "file", "\ufffd.txt"),
        ('form-data; name="file"; filename="C:\\docs\\a.txt"', "file", "C:\\docs\\a.txt"),
        ('form-data; name="file"; filename="a" b.txt', "file", '"a" b.txt'),
        ('form-data; name="file"; filename="open;x', "file", '"open'),
        ('form-data;; x; =; name = "file" ;filename= a.txt ; name=other', "file", "a.txt"),
        ("form-data; name=file; filename*=iso-8859-1'en'%E9.txt", "file", "é.txt"),
        ("form-data; name=file; filename*=punycode''a-b", "file", "a-b"),
        ("form-data; name=file; filename*=UTF-8''%ff", "file", "\ufffd"),
    ],
)
def test_names(header: str, name: str, filename: str | None) -> None:
    assert disposition_of(header) == Disposition(name, filename)


@pytest.mark.parametrize("unit", [";", '";', '\\";', "; ", ";a=", ';a="', ';a="\\', " "])
def test_no_header_takes_long(unit: str) -> None:
    header = 'form-data; name="' + unit * (8000 // len(unit))
    began = time.thread_time()
    for _ in range(10):
        disposition_of(header)
    assert time.thread_time() - began < 0.03  # with quadratic time: above a second


@pytest.mark.parametrize(
    "header", ["", "attachment; name=x", "form-data", "form-data; filename=x", ";;;", "=", '"']
)
def test_what_names_no_field(header: str) -> None:
    assert disposition_of(header) is None
