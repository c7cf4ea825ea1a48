"""PostgreSQL's csv log becomes documents, wherever the file begins and ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sre_obs.adapters.pglog import parse_log

FAILED = (
    '2026-11-24 06:38:43.143 UTC,"ghost","shop",14427,"127.0.0.1:51190",6b0530f3.385b,1,'
    '"startup",2026-11-24 06:38:43 UTC,12/10,0,FATAL,28000,"role ""ghost"" does not exist"'
    ',,,,,,,,,"","client backend",,0\n'
)
SLOW = (
    '2026-11-24 06:38:42.626 UTC,"postgres","shop",14317,"[local]",6b0530f1.37ed,1,"UPDATE",'
    "2026-11-24 06:38:41 UTC,11/17,958,LOG,00000,"
    '"duration: 312.807 ms  execute s1: update stock\nset n=1","parameters: $1 = \'21\'"'
    ',,,,,,,,"shop-batch","client backend",,-4477656022118582761\n'
)


def test_a_record_has_the_names_of_elastic_s_integration() -> None:
    (document,) = parse_log(FAILED)
    assert document == {
        "@timestamp": "2026-11-24T06:38:43.143Z",
        "message": 'role "ghost" does not exist',
        "log": {"level": "FATAL"},
        "event": {
            "module": "postgresql",
            "dataset": "postgresql.log",
            "kind": "event",
            "category": ["database"],
            "type": ["error"],
            "code": "28000",
            "timezone": "UTC",
        },
        "postgresql": {
            "log": {
                "timestamp": "2026-11-24 06:38:43.143 UTC",
                "database": "shop",
                "client_addr": "127.0.0.1",
                "client_port": 51190,
                "session_id": "6b0530f3.385b",
                "session_line_number": 1,
                "session_start_time": "2026-11-24T06:38:43.000Z",
                "command_tag": "startup",
                "virtual_transaction_id": "12/10",
                "transaction_id": 0,
                "sql_state_code": "28000",
                "backend_type": "client backend",
            }
        },
        "service": {"type": "postgresql"},
        "data_stream": {"type": "logs", "dataset": "postgresql.log", "namespace": "default"},
        "user": {"name": "ghost"},
        "process": {"pid": 14427},
    }


def test_a_duration_is_in_nanoseconds_and_its_statement_a_field() -> None:
    (document,) = parse_log(SLOW)
    log = document["postgresql"]["log"]
    assert document["event"]["duration"] == 312_807_000
    assert document["event"]["type"] == ["info"]
    assert (log["query_step"], log["query_name"]) == ("execute", "s1")
    assert log["query"] == "update stock\nset n=1"
    assert log["client_addr"] == "[local]"
    assert "client_port" not in log


def test_a_file_that_begins_and_ends_inside_a_record_gives_the_whole_ones() -> None:
    text = SLOW[-60:] + FAILED + SLOW + FAILED[:100]
    assert [d["log"]["level"] for d in parse_log(text)] == ["FATAL", "LOG"]


def test_a_broken_record_takes_no_other_with_it() -> None:
    text = FAILED + FAILED.replace("06:38:43.143 UTC", "06:61:43.143 UTC") + "a,b\n" + FAILED
    assert len(list(parse_log(text))) == 2


def test_a_log_in_another_zone_is_left_out_rather_than_moved() -> None:
    assert list(parse_log(FAILED.replace("UTC", "CET"))) == []


@given(st.integers(0, len(FAILED + SLOW)), st.integers(0, len(FAILED + SLOW)), st.text(max_size=9))
def test_any_cut_of_a_log_gives_documents_and_no_error(start: int, end: int, noise: str) -> None:
    documents = list(parse_log((FAILED + SLOW)[start:end] + noise + FAILED))
    assert all(d["@timestamp"].startswith("2026-11-24T06:38:4") for d in documents)


@given(st.text(max_size=80))
def test_any_text_gives_no_document(text: str) -> None:
    assert list(parse_log(text)) == []
