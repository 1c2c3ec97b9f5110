"""How much is measured: a full run in under three minutes, a quick one in about forty seconds."""

from typing import NamedTuple


class Plan(NamedTuple):
    """Sizes of every part; seconds where the name says so, else counts."""

    rounds: int
    rounds_seconds: float
    pages: int
    sign_ins: int
    calls: int
    cold_rounds: int
    busy_seconds: float
    waiting_seconds: float
    matrices: int
    starts: int
    workers_rounds: int
    stored_rounds: int
    stored_seconds: float
    stored_pages: int
    stored_sign_ins: int
    stored: tuple[int, int]


FULL = Plan(
    rounds=9,
    rounds_seconds=35.0,
    pages=400,
    sign_ins=120,
    calls=200,
    cold_rounds=4,
    busy_seconds=1.5,
    waiting_seconds=5.0,
    matrices=5,
    starts=3,
    workers_rounds=3,
    stored_rounds=5,
    stored_seconds=40.0,
    stored_pages=300,
    stored_sign_ins=80,
    stored=(100, 100_000),
)
QUICK = Plan(
    rounds=3,
    rounds_seconds=8.0,
    pages=200,
    sign_ins=50,
    calls=80,
    cold_rounds=2,
    busy_seconds=0.6,
    waiting_seconds=2.0,
    matrices=2,
    starts=1,
    workers_rounds=1,
    stored_rounds=2,
    stored_seconds=6.0,
    stored_pages=80,
    stored_sign_ins=12,
    stored=(100, 5_000),
)
BUSY_CONNECTIONS = 16
EMULATOR_SECONDS = 120.0
"""For filling its tables, on a machine with other things to do."""
WAITING_SIGN_INS = 24
WAITING_SECONDS = 0.2
MATRIX_API_SECONDS = 0.15
"""What a call to a Lambda behind API Gateway takes; with none the threads would be measured."""
PAGE_EVERY_SECONDS = 0.01
