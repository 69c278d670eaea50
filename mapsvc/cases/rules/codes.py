"""Numbers and follow codes of cases.

A follow code (查询码) is 11 characters of randomness (55 bits) and one that checks them, in
Crockford's base 32: no letter can be taken for a digit. It opens the plain view of one case without
an account, so it must not be guessable, and a slip in typing must not open somebody else's.
"""

from __future__ import annotations

from datetime import date

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BYTES = 7
_LENGTH = 11
_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def _check_character(body: str) -> str:
    """Luhn's sum to base 32: every single wrong character and nearly every swap of two is noticed."""
    total = 0
    for position, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 if position % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]


def make_track_code(random: bytes) -> str:
    """Return the follow code of `RANDOM_BYTES` random bytes (56 bits, of which 55 are used)."""
    number = int.from_bytes(random, "big")
    body = "".join(ALPHABET[number >> (5 * place) & 31] for place in range(_LENGTH))
    return body + _check_character(body)


def read_track_code(text: str) -> str | None:
    """Return a follow code as stored from what somebody typed, or None where it cannot be one."""
    code = text.strip().upper().translate(_ALIKE)
    if len(code) != _LENGTH + 1 or any(character not in ALPHABET for character in code):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def show_track_code(code: str) -> str:
    """Return the code in three groups of four, as people read it out."""
    return "-".join(code[begin : begin + 4] for begin in range(0, len(code), 4))


def case_number(day: date, case_id: int) -> str:
    """Return the number of a live case: its local day of intake and its row, which no two cases share."""
    return f"{day:%Y%m%d}-{case_id:06d}"


def import_number(day: date, run_id: int, row: int) -> str:
    """Return the number of an imported case: day of the import, its run, its row in the file."""
    return f"{day:%Y%m%d}-R{run_id}-{row:06d}"
