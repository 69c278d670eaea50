"""What the queries of cases answer: frozen values, ready for pages and the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mapsvc.cases.rules.cuts import Cut
from mapsvc.cases.rules.values import Side


@dataclass(frozen=True)
class CaseFilters:
    """Which cases to list; every field narrows, the defaults narrow nothing.

    `area_id` is an area of any level. `states` empty means all. `category` is a code or the
    beginning of one. `mine` keeps what the one who asks has to do. `text` is sought in number,
    source number, description and place. `bbox` is (west, south, east, north) in WGS 84.
    `since` keeps cases changed at or after that moment, `received_since` and `closed_since` those that came
    in or were closed then, `due_before` those with a running clock that fall due between now and then.
    `checked` keeps those that passed their check, or those that did not yet. `handed` keeps what is offered
    to an area of the one who asks; `area_id` then is the area that it is offered to. `owner_area_id` keeps what
    an area answers for itself (`area_id` what lies in it), `other_owner_than` what it does not, `dispatched`
    what is with a unit or with none, `may_change_side` the edge cases whose owner may still propose to hand
    over, `whistle` those for which a whistle has come so far. `cut` keeps the cases that a figure was counted
    from, and marks those that count in it; `channels` keeps any of these. `sort` is `urgency`
    (overdue first, then by due time) or `newest`.
    """

    area_id: int | None = None
    states: tuple[str, ...] = ()
    outcome: str = ""
    category: str = ""
    channel: str = ""
    unit_id: int | None = None
    person_id: int | None = None
    open_only: bool = False
    overdue: bool = False
    due_before: datetime | None = None
    sign_due: bool = False
    checked: bool | None = None
    handed: bool = False
    owner_area_id: int | None = None
    other_owner_than: int | None = None
    dispatched: bool | None = None
    may_change_side: bool = False
    whistle: str = ""
    unplaced: bool = False
    edge: bool = False
    mine: bool = False
    include_historic: bool = True
    text: str = ""
    bbox: tuple[float, float, float, float] | None = None
    since: datetime | None = None
    received_since: datetime | None = None
    closed_since: datetime | None = None
    channels: tuple[str, ...] = ()
    cut: Cut | None = None
    sort: str = "urgency"


@dataclass(frozen=True)
class CaseRow:
    """One line of the work list."""

    id: int
    uuid: UUID
    number: str
    source_number: str
    category: str
    condition: str
    workflow: str
    channel: str
    state: str
    outcome: str
    overdue: bool
    unplaced: bool
    edge: bool
    historic: bool
    description: str
    place_text: str
    owner: str
    lon: float | None
    lat: float | None
    area_id: int | None
    area_level: str
    area_code: str
    area_name: str
    person_name: str
    unit_name: str
    observed_at: datetime
    received_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    sign_due_at: datetime | None
    reworks: int
    version: int
    unit_phone: str = ""
    whistle: str = ""
    handover_area_id: int | None = None
    sides_changed: int = 0
    marked: bool = False
    """Whether it counts in the figure whose list this is."""


@dataclass(frozen=True)
class Page:
    """Some rows and the way on: `cursor` is None on the last page.

    `count` is exact unless `count_capped`: then there are more, and it says "at least".
    """

    rows: tuple[CaseRow, ...]
    cursor: str | None
    count: int
    count_capped: bool


@dataclass(frozen=True)
class EventView:
    """One line of the history (流转记录)."""

    uuid: UUID
    sequence: int
    at: datetime
    step: str
    from_state: str
    to_state: str
    by: str
    role: str
    on_behalf_of: str
    reason: str
    data: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AssignmentView:
    """One assignment with its reason in both tongues (责任认定依据)."""

    at: datetime
    rule: str
    area_id: int | None
    area_level: str
    area_code: str
    area_name: str
    person_name: str
    stand_in: str
    generation: int | None
    distance_m: float
    certainty: float
    sides: tuple[Side, ...]
    reason_zh: str
    reason_en: str
    by: str


@dataclass(frozen=True)
class DeadlineView:
    """One clock: `total`, `sign`, `check`; a replaced one is kept."""

    clock: str
    amount: float
    unit: str
    starts_at: datetime
    due_at: datetime
    calendar: str
    met_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True)
class PhotoView:
    """One stored photo."""

    uuid: UUID
    kind: str
    width: int
    height: int
    uploaded_at: datetime


@dataclass(frozen=True)
class AllowedStep:
    """A step that the one who asks may take now; `needs` names the inputs it wants."""

    name: str
    zh: str
    en: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class AreaOnPath:
    """One area that holds the point, from the largest to the smallest."""

    area_id: int
    level: str
    code: str
    name: str


@dataclass(frozen=True)
class CaseView:
    """Everything that the page of a case shows; never the reporter's contact, only whether there is one."""

    row: CaseRow
    track_code: str
    position_source: str
    input_datum: str
    accuracy_m: float | None
    source_flag: str
    returns: int
    extensions: int
    extension_stage: str
    sides_changed: int
    handover_area_name: str
    duplicate_of_number: str
    duplicates: tuple[str, ...]
    path: tuple[AreaOnPath, ...]
    events: tuple[EventView, ...]
    assignments: tuple[AssignmentView, ...]
    deadlines: tuple[DeadlineView, ...]
    photos: tuple[PhotoView, ...]
    steps: tuple[AllowedStep, ...]
    contact_available: bool
    checked: bool
    notices: tuple[str, ...]


@dataclass(frozen=True)
class TrackView:
    """What a resident sees by the code: plain, without persons, internal notes or other people's words.

    `joined`: the code belongs to somebody who met the same problem (我也遇到), not to its first reporter.
    """

    uuid: UUID
    number: str
    category: str
    state: str
    outcome: str
    received_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    area_level: str
    area_name: str
    unplaced: bool
    asks_side: bool
    sides: tuple[Side, ...]
    may_reopen: bool
    steps: tuple[tuple[datetime, str], ...]
    after_photos: tuple[UUID, ...]
    may_confirm: bool = False
    joined: bool = False
    reworks: int = 0
    raised: bool = False


@dataclass(frozen=True)
class NearbyCase:
    """An open case of the same kind close by, as the public may know of it: what, how far, since when."""

    case_id: int
    category: str
    distance_m: float
    received_at: datetime


@dataclass(frozen=True)
class Counters:
    """The numbers on top of the office and patch pages, over open cases within the asker's scope.

    `edge_share` is edge / open (None when nothing is open). `near_due` falls due within the
    near-due span of the rulebook (default 4 hours), `due_today` before local midnight.
    """

    open: int
    received: int
    to_sign: int
    sign_overdue: int
    in_progress: int
    to_check: int
    to_close: int
    returned: int
    suspended: int
    overdue: int
    near_due: int
    due_today: int
    unplaced: int
    edge: int
    edge_share: float | None
    handed_to_me: int
    whistle: int
    new_today: int
    closed_today: int


@dataclass(frozen=True)
class MapPoint:
    """One open case as a dot on the map."""

    id: int
    uuid: UUID
    lon: float
    lat: float
    category: str
    state: str
    overdue: bool
    edge: bool
