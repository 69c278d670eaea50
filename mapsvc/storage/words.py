"""Words inside the texts of cases: an index of every two or three characters, so that no search reads them all.

Chinese has no spaces, and most of its words are of two characters: any piece of a text must be found. On SQLite
the FTS5 table `case_words` holds every three characters, kept by triggers; each text is padded, so that a word of
one or two characters is the beginning of some three. On PostgreSQL a GIN index holds every one and two characters
by a function of our own: `pg_trgm` needs three to use its index, and knows no Chinese in the C locale.

Both may name a case too many (pieces that stand apart, letters of another case) and leave none out: whoever asks
compares the text as well, so that both databases give the same answer.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Integer, Select, String, column, func, literal_column, select, table, text
from sqlalchemy.types import NullType

from mapsvc.storage.work import Work

_SQLITE = (
    """CREATE VIRTUAL TABLE case_words USING fts5(
        body, content='', detail='none', columnsize=0, tokenize='trigram')""",
    "CREATE VIRTUAL TABLE case_words_term USING fts5vocab('case_words', 'instance')",
    """CREATE TRIGGER case_words_insert AFTER INSERT ON case_file BEGIN
        INSERT INTO case_words (rowid, body)
        VALUES (new.id, new.description || '\n\n' || new.place_text || '\n\n');
    END""",
    """CREATE TRIGGER case_words_update AFTER UPDATE OF id, description, place_text ON case_file BEGIN
        INSERT INTO case_words (case_words, rowid, body)
        VALUES ('delete', old.id, old.description || '\n\n' || old.place_text || '\n\n');
        INSERT INTO case_words (rowid, body)
        VALUES (new.id, new.description || '\n\n' || new.place_text || '\n\n');
    END""",
    """CREATE TRIGGER case_words_delete AFTER DELETE ON case_file BEGIN
        INSERT INTO case_words (case_words, rowid, body)
        VALUES ('delete', old.id, old.description || '\n\n' || old.place_text || '\n\n');
    END""",
    """INSERT INTO case_words (rowid, body)
        SELECT id, description || '\n\n' || place_text || '\n\n' FROM case_file""",
)

_POSTGRESQL = (
    """CREATE FUNCTION mapsvc_pieces(body text, shortest integer) RETURNS text[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        AS $$
            SELECT coalesce(array_agg(DISTINCT substr(lower(body), place, size)), '{}')
            FROM generate_series(1, length(body)) AS place, generate_series(shortest, 2) AS size
            WHERE place + size <= length(body) + 1
        $$""",
    """CREATE INDEX ix_case_file_words ON case_file
        USING gin (mapsvc_pieces(description || ' ' || place_text, 1))""",
)

_CASE = table("case_file", column("id", Integer), column("description", String), column("place_text", String))
_WORDS = table("case_words", column("rowid", Integer), column("case_words", NullType()))
_TERMS = table("case_words_term", column("term", String), column("doc", Integer))
_LAST = "\U0010ffff"


def cases_with_words(work: Work, words: str) -> Select[int] | None:
    """Return a SELECT of the ids of cases whose texts may hold `words`; None where the index does not know."""
    if not work.on_sqlite:
        pieces: Any = func.mapsvc_pieces
        held = pieces(_CASE.c.description + literal_column("' '") + _CASE.c.place_text, literal_column("1"))
        return select(_CASE.c.id).where(held.op("@>")(pieces(words, min(len(words), 2))))
    if len(words) >= 3:
        asked = " ".join('"' + words[at : at + 3].replace('"', '""') + '"' for at in range(len(words) - 2))
        return select(_WORDS.c.rowid).where(_WORDS.c.case_words.op("MATCH")(asked))
    folded = words.lower()
    if not words or any(one != two and not one.isascii() for one, two in zip(words, folded, strict=False)):
        return None  # how the index folds this letter is its own affair
    return select(_TERMS.c.doc).where(_TERMS.c.term >= folded, _TERMS.c.term < folded + _LAST)


def create_case_words(connection: Connection) -> None:
    """Create the index over the cases that are there, and what keeps it."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.execute(text(statement))


def drop_case_words(connection: Connection) -> None:
    """Undo `create_case_words`."""
    if connection.dialect.name == "sqlite":
        for name in ("insert", "update", "delete"):
            connection.execute(text(f"DROP TRIGGER case_words_{name}"))
        connection.execute(text("DROP TABLE case_words_term"))
        connection.execute(text("DROP TABLE case_words"))
    else:
        connection.execute(text("DROP INDEX ix_case_file_words"))
        connection.execute(text("DROP FUNCTION mapsvc_pieces(text, integer)"))
