from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from mapsvc.base.errors import InvalidInput, TooLarge, UnsupportedType
from mapsvc.web.requests import (
    MAX_DEPTH,
    Body,
    Query,
    Text,
    check,
    check_json,
    header_int,
    parse_json,
    read_bytes,
    read_model,
    read_query,
    require_type,
)

app = Flask(__name__, static_folder=None)


class Inner(Body):
    x: float


class Sample(Body):
    name: Text
    count: int = 0
    inner: Inner | None = None


class Asked(Query):
    lon: float
    name: Text = ""


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_what_json_can_say_is_read_as_it_stands(value: Any) -> None:
    try:
        raw = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate cannot be sent as UTF-8
        return
    assert parse_json(raw) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_by_name(raw: bytes) -> None:
    try:
        parse_json(raw)
    except InvalidInput as error:
        assert error.code in {"bad_json", "empty_body", "too_deep"}  # noqa: PT017  # any other error fails the test


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty_body"),
        (b"{", "bad_json"),
        (b'{"x": NaN}', "bad_json"),
        (b'{"x": Infinity}', "bad_json"),
        (b'{"x": -Infinity}', "bad_json"),
        (b'{"x": "\xff"}', "bad_json"),
        (b'{"x": "\\ud800"}', "bad_json"),
        (b'\xef\xbb\xbf{"x": 1}', "bad_json"),
        ('{"x": 1}'.encode("utf-16"), "bad_json"),
        (b'{"x": 1, "x": 2}', "bad_json"),
        (b'{"a": {"x": 1, "x": 2}}', "bad_json"),
        (b'{"x": 1} {"x": 2}', "bad_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "too_deep"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too_deep"),
    ],
)
def test_json_that_could_mean_two_things_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(raw)
    assert caught.value.code == code
    assert caught.value.hint


def test_depth_is_told_from_width_and_from_brackets_in_texts() -> None:
    wide = json.dumps([[1, 2]] * 1000).encode()
    assert len(parse_json(wide)) == 1000
    text = json.dumps({"t": "[" * 500 + '\\"[{'}).encode()
    assert parse_json(text)["t"].startswith("[[")
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert parse_json(deepest) != []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "a", "count": "3"}, "count"),
        ({"name": "a", "count": 3.5}, "count"),
        ({"name": "a", "count": True}, "count"),
        ({"name": 3}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\x1b[31m"}, "name"),
        ({"name": "a", "more": 1}, "more"),
        ({"name": "a", "inner": {"x": "1"}}, "inner.x"),
        ({"count": 1}, "name"),
        ({"name": "a", "inner": {}}, "inner.x"),
    ],
)
def test_a_body_is_taken_as_it_is_or_told_field_by_field(sent: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_json(Sample, json.dumps(sent).encode())
    assert field in [found["field"] for found in caught.value.detail["fields"]]


def test_line_breaks_and_chinese_are_text() -> None:
    assert check_json(Sample, '{"name": "井盖\\n破损\\t"}'.encode()).name == "井盖\n破损\t"


def test_a_number_that_overflows_is_no_number() -> None:
    with pytest.raises(InvalidInput):
        check_json(Sample, b'{"name": "a", "inner": {"x": 1e999}}')


def test_what_was_wrong_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_json(Sample, json.dumps({"name": 1, "phone": "13900001234"}).encode())
    assert "13900001234" not in str(caught.value) + str(caught.value.detail)


def test_a_query_reads_texts_as_numbers_and_refuses_what_it_does_not_know() -> None:
    assert read_query(Asked, MultiDict({"lon": "1.5"})).lon == 1.5
    for bad in ({"lon": "nan"}, {"lon": "inf"}, {"lon": ""}, {"lon": "1", "lat": "2"}, {"lon": "1", "name": "a\x00"}):
        with pytest.raises(InvalidInput) as caught:
            read_query(Asked, MultiDict(bad))
        assert caught.value.code == "invalid_input"
    with pytest.raises(InvalidInput, match="twice"):
        read_query(Asked, MultiDict([("lon", "1"), ("lon", "2")]))


def test_no_more_than_ten_findings_are_told() -> None:
    class Empty(BaseModel):
        model_config = {"extra": "forbid"}

    with pytest.raises(InvalidInput) as caught:
        check(Empty, {f"f{n}": n for n in range(50)})
    assert len(caught.value.detail["fields"]) == 10


def test_bytes_over_the_limit_and_bytes_cut_short() -> None:
    with app.test_request_context("/", method="PUT", data=b"x" * 100):
        assert read_bytes(100) == b"x" * 100
    with app.test_request_context("/", method="PUT", data=b"x" * 101), pytest.raises(TooLarge) as large:
        read_bytes(100)
    assert large.value.detail == {"limit": 100}
    cut = {"CONTENT_LENGTH": "200", "wsgi.input_terminated": True}
    with app.test_request_context("/", method="PUT", data=b"x" * 100, environ_overrides=cut):
        with pytest.raises(InvalidInput) as short:
            read_bytes(1000)
        assert short.value.code == "truncated"


def test_a_body_without_a_length_is_bounded_as_well() -> None:
    endless = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    with app.test_request_context("/", method="PUT", data=b"x" * 100, environ_overrides=endless):
        request.max_content_length = 50
        with pytest.raises(TooLarge):
            read_bytes(50)


@pytest.mark.parametrize(
    ("sent", "fits"), [("image/jpeg", True), ("IMAGE/PNG; q=1", True), ("text/plain", False), ("", False)]
)
def test_content_types(sent: str, fits: bool) -> None:
    with app.test_request_context("/", method="PUT", data=b"x", content_type=sent):
        if fits:
            require_type("image/*", "application/octet-stream")
        else:
            with pytest.raises(UnsupportedType, match="is not read here"):
                require_type("image/*", "application/octet-stream")


@pytest.mark.parametrize(
    ("content_type", "fits"),
    [
        ("application/json", True),
        ("application/json; charset=UTF-8", True),
        ("application/json; charset=gbk", False),
        ("application/x-www-form-urlencoded", False),
        ("text/json", False),
    ],
)
def test_json_is_read_under_its_own_name_in_utf_8(content_type: str, fits: bool) -> None:
    with app.test_request_context("/", method="PUT", data=b'{"name":"a"}', content_type=content_type):
        if fits:
            model, raw = read_model(Sample, 100)
            assert (model.name, raw) == ("a", b'{"name":"a"}')
        else:
            with pytest.raises(UnsupportedType):
                read_model(Sample, 100)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "0x10", "٣", "1" * 16, " 1"])
def test_a_header_is_a_whole_number(text: str) -> None:
    assert header_int({"Upload-Offset": "12"}, "Upload-Offset") == 12
    with pytest.raises(InvalidInput):
        header_int({"Upload-Offset": text}, "Upload-Offset")
