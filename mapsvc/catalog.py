"""Reads and checks what an office configures in TOML: levels, categories with their terms, map layers.

Everything is a frozen value, read once at the edge (`load_catalog`) and passed on. A mistake in a
file raises `Misconfigured` that names the file and the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsvc.base import paths
from mapsvc.base.errors import InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.base.toml import TomlTable, read_toml

TERM_UNITS = ("urgent_hour", "urgent_day", "working_hour", "working_day")
"""紧急工作时 and 紧急工作日 run on without a break; 工作时 and 工作日 count working time only."""

WORKFLOWS = ("quick", "standard")
STAGES = ("sign", "check")
LAYER_SOURCES = ("areas", "cases", "chiefs", "units", "base", "ground")
MOST_KINDS = 40


@dataclass(frozen=True)
class Kind:
    """A kind of area within a level, such as 综合 and 专属 grids."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Level:
    """A kind of area. `order` is 0 for the coarsest and grows with the file.

    `nests_in`: the levels in each of which an area of this one lies. `coverage`: its areas leave no
    gaps and do not overlap. `legal`: its borders are fixed by government act. `office`: it may be the
    main responsible body for what must not be given to a community or chief. `independent`: answered by
    an index of its own unless an import finds that a finer level adds up to it.
    """

    code: str
    zh: str
    en: str
    order: int
    nests_in: tuple[str, ...]
    coverage: bool
    legal: bool
    office: bool
    independent: bool
    may_hold_posts: bool
    chief_zh: str
    chief_en: str
    kinds: tuple[Kind, ...]

    def title(self, language: str = "zh") -> str:
        """Return the name of the level in a language."""
        return self.zh if language == "zh" else self.en

    def chief(self, language: str = "zh") -> str:
        """Return what the one who answers for such an area is called; empty where nobody does."""
        return self.chief_zh if language == "zh" else self.chief_en

    def find_kind(self, code: str) -> Kind | None:
        """Return one of the kinds by its code."""
        return next((kind for kind in self.kinds if kind.code == code), None)


@dataclass(frozen=True)
class Levels:
    """All levels, coarsest first, and the named chains by which a case finds its owner and is raised."""

    all: tuple[Level, ...]
    chains: Mapping[str, tuple[str, ...]]
    _by_code: Mapping[str, Level] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_code", {level.code: level for level in self.all})

    def __iter__(self) -> Iterator[Level]:
        return iter(self.all)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all levels, coarsest first."""
        return tuple(level.code for level in self.all)

    def find(self, code: str) -> Level | None:
        """Return a level, or None."""
        return self._by_code.get(code)

    def get(self, code: str) -> Level:
        """Return a level; an unknown one raises `InvalidInput`."""
        level = self._by_code.get(code)
        if level is None:
            raise InvalidInput(
                "unknown_level",
                f"There is no level {code!r}.",
                hint=f"The levels are {', '.join(self.codes)}.",
                detail={"level": code, "levels": list(self.codes)},
            )
        return level

    def chain(self, name: str = "default") -> tuple[str, ...]:
        """Return the levels of a named chain, the first owner first; an unknown name raises `InvalidInput`."""
        if name not in self.chains:
            raise InvalidInput("unknown_chain", f"There is no chain {name!r}.", hint=", ".join(self.chains))
        return self.chains[name]

    def above(self, code: str) -> tuple[str, ...]:
        """List every level that an area of this one lies in, coarsest first."""
        found: set[str] = set()
        todo = list(self.get(code).nests_in)
        while todo:
            parent = todo.pop()
            if parent not in found:
                found.add(parent)
                todo.extend(self._by_code[parent].nests_in)
        return tuple(level for level in self.codes if level in found)

    def directly_below(self, code: str) -> tuple[str, ...]:
        """List the levels that nest directly in this one, coarsest first."""
        self.get(code)
        return tuple(level.code for level in self.all if code in level.nests_in)

    def finest_first(self) -> tuple[Level, ...]:
        """List the levels so that each comes before those that it nests in."""
        return tuple(reversed(self.all))


@dataclass(frozen=True)
class Term:
    """An amount of time in one of `TERM_UNITS`, more than nothing."""

    amount: float
    unit: str


@dataclass(frozen=True)
class Condition:
    """A filing condition (立案条件) of a category and its term.

    `basis` says where the term comes from: `list` (the published list that the file's edition names)
    or `ours`. `instant_fix`: may be found and fixed on the same visit (即查即改).
    """

    code: str
    zh: str
    en: str
    term: Term
    basis: str
    instant_fix: bool
    emergency: bool

    def title(self, language: str = "zh") -> str:
        """Return the name of the condition in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Major:
    """A major class (大类): `C..` for components (部件), `E..` for events (事件)."""

    code: str
    zh: str
    en: str

    def title(self, language: str = "zh") -> str:
        """Return the name of the class in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Category:
    """A minor class (小类): what a problem is, which conditions make it a case, who may own it.

    `no_chief`: never given to a community or chief as main responsible body; its `chain` then holds
    offices only. `local`: not in the list of the edition, added here (counted down from 99).
    `retired`: no new case may take it; its code stays for ever.
    """

    code: str
    zh: str
    en: str
    major: str
    tile: str
    conditions: tuple[Condition, ...]
    chain: str
    workflow: str
    emergency: bool
    no_chief: bool
    local: bool
    retired: bool

    @property
    def is_component(self) -> bool:
        """Whether this is a fixed object (部件) and not an event (事件)."""
        return self.code.startswith("C")

    def title(self, language: str = "zh") -> str:
        """Return the name of the category in a language."""
        return self.zh if language == "zh" else self.en

    def find_condition(self, code: str) -> Condition | None:
        """Return a condition by its code; the empty code means the first one."""
        if not code:
            return self.conditions[0]
        return next((condition for condition in self.conditions if condition.code == code), None)

    def get_condition(self, code: str) -> Condition:
        """Return a condition by its code (empty: the first one); an unknown one raises `InvalidInput`."""
        condition = self.find_condition(code)
        if condition is None:
            raise InvalidInput(
                "unknown_condition",
                f"{self.code} {self.zh} has no filing condition {code!r}.",
                hint=f"It has {', '.join(found.code for found in self.conditions)}.",
            )
        return condition


@dataclass(frozen=True)
class Tile:
    """A choice on the public page in plain words, and the category that it stands for by itself."""

    code: str
    zh: str
    en: str
    category: str

    def title(self, language: str = "zh") -> str:
        """Return the words on the tile in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Categories:
    """All categories, in the order of their codes, retired ones too.

    `stages` are the terms of the other clocks: `sign` (签收) and `check` (核查).
    """

    edition: str
    majors: tuple[Major, ...]
    all: tuple[Category, ...]
    tiles: tuple[Tile, ...]
    stages: Mapping[str, Term]
    _by_code: Mapping[str, Category] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_code", {category.code: category for category in self.all})

    def __iter__(self) -> Iterator[Category]:
        return iter(self.all)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    @property
    def in_use(self) -> tuple[Category, ...]:
        """The categories that a new case may take."""
        return tuple(category for category in self.all if not category.retired)

    def find(self, code: str) -> Category | None:
        """Return a category, retired or not, or None."""
        return self._by_code.get(code)

    def get(self, code: str) -> Category:
        """Return a category, retired or not; an unknown code raises `InvalidInput`."""
        category = self._by_code.get(code)
        if category is None:
            raise InvalidInput(
                "unknown_category",
                f"There is no category {code!r}.",
                hint="Codes look like E0110 (event) or C0103 (component); the guide lists them.",
                detail={"category": code},
            )
        return category

    def get_in_use(self, code: str) -> Category:
        """Return a category that a new case may take; a retired one raises `InvalidInput`."""
        category = self.get(code)
        if category.retired:
            raise InvalidInput(
                "category_retired",
                f"{code} {category.zh} is retired: no new case may take it.",
                hint="Choose another category.",
                detail={"category": code},
            )
        return category

    def of_major(self, code: str) -> tuple[Category, ...]:
        """List the categories in use of a major class."""
        return tuple(category for category in self.in_use if category.major == code)

    def of_tile(self, code: str) -> tuple[Category, ...]:
        """List the categories in use behind a tile of the public page."""
        return tuple(category for category in self.in_use if category.tile == code)


@dataclass(frozen=True)
class Style:
    """How a layer is drawn: CSS colours, widths in pixels, opacities from 0 to 1.

    `by` names what colours hang on (`state`, `open_cases`, `households`, `kind`, ...); empty: one colour.
    `casing` is the colour of a thin line on either side of a line, as streets have it; empty: none.
    """

    color: str
    fill: str
    weight: float
    opacity: float
    fill_opacity: float
    dash: str
    radius: float
    by: str
    casing: str = ""


@dataclass(frozen=True)
class Label:
    """What is written on the features of a layer, from which zoom on; an empty `field` writes nothing."""

    field: str
    from_zoom: int


@dataclass(frozen=True)
class KindStyle:
    """How things of some kinds within a layer of the ground are drawn, from `from_zoom` on; with its own legend."""

    values: tuple[str, ...]
    zh: str
    en: str
    style: Style
    from_zoom: int

    def legend(self, language: str = "zh") -> str:
        """Return the words of the legend in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Layer:
    """One map layer. `ground` names the ground layer that it draws, `kinds` the styles of its kinds.

    `audience` is (`public`,), (`staff`,) or the names of roles; `zooms` are both included.
    """

    code: str
    source: str
    level: str
    style: Style
    zooms: tuple[int, int]
    legend_zh: str
    legend_en: str
    audience: tuple[str, ...]
    order: int
    label: Label
    ground: str = ""
    kinds: tuple[KindStyle, ...] = ()

    def legend(self, language: str = "zh") -> str:
        """Return the words of the legend in a language."""
        return self.legend_zh if language == "zh" else self.legend_en

    def is_for(self, roles: frozenset[str], *, logged_in: bool) -> bool:
        """Whether somebody with these roles may see the layer."""
        if "public" in self.audience:
            return True
        return logged_in and ("staff" in self.audience or not roles.isdisjoint(self.audience))


@dataclass(frozen=True)
class Layers:
    """All map layers in drawing order, the lowest first."""

    all: tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.all)

    def find(self, code: str) -> Layer | None:
        """Return a layer, or None."""
        return next((layer for layer in self.all if layer.code == code), None)


@dataclass(frozen=True)
class Catalog:
    """Everything configured in files, checked together."""

    levels: Levels
    categories: Categories
    layers: Layers

    def answers(self, category: str = "") -> tuple[str, ...]:
        """Return the levels that may own a case, the first owner first; a category may have its own chain."""
        found = self.categories.find(category) if category else None
        return self.levels.chain(found.chain if found else "default")


def load_catalog(settings: Settings) -> Catalog:
    """Read levels, categories and layers from the files that the settings name, or the shipped ones."""
    levels = load_levels(settings.levels_file or paths.data_dir() / "levels.toml")
    categories = load_categories(settings.categories_file or paths.data_dir() / "categories.toml", levels)
    return Catalog(levels, categories, load_layers(settings.layers_dir or paths.layers_dir(), levels))


def load_levels(path: Path) -> Levels:
    """Read levels; each may nest only in levels that stand above it in the file, so there are no cycles."""
    root = read_toml(path).root()
    levels: list[Level] = []
    for table in root.tables("level"):
        level = _read_level(table, len(levels))
        known = [earlier.code for earlier in levels]
        if level.code in known:
            table.fail("code", f"the level {level.code!r} is there twice.")
        for parent in level.nests_in:
            if parent not in known:
                table.fail(
                    "nests_in",
                    f"{level.code!r} nests in {parent!r}, which does not stand above it.",
                    hint="A level nests in levels that come earlier in the file; so nothing can nest in itself.",
                )
        levels.append(level)
    chains = _read_chains(root.table("chains"), {level.code: level for level in levels})
    root.finish()
    return Levels(tuple(levels), chains)


def _read_level(table: TomlTable, order: int) -> Level:
    chief = table.table("chief", required=False)
    kinds = []
    for kind in table.tables("kinds", required=False):
        kinds.append(Kind(kind.text("code"), kind.text("zh"), kind.text("en")))
        kind.finish()
    may_hold_posts = table.has("chief")
    level = Level(
        code=_read_code(table),
        zh=table.text("zh"),
        en=table.text("en"),
        order=order,
        nests_in=table.texts("nests_in", ()),
        coverage=table.flag("coverage"),
        legal=table.flag("legal"),
        office=table.flag("office"),
        independent=table.flag("independent"),
        may_hold_posts=may_hold_posts,
        chief_zh=chief.text("zh") if may_hold_posts else "",
        chief_en=chief.text("en") if may_hold_posts else "",
        kinds=tuple(kinds),
    )
    chief.finish()
    table.finish()
    return level


def _read_code(table: TomlTable) -> str:
    code = table.text("code")
    if not (code.isascii() and code.isidentifier() and code == code.lower()):
        table.fail("code", f"{code!r} must be lower-case letters, digits and underscores.")
    return code


def _read_chains(table: TomlTable, levels: Mapping[str, Level]) -> dict[str, tuple[str, ...]]:
    chains = {name: table.texts(name) for name in table.keys()}  # noqa: SIM118  # a TomlTable is no mapping
    if "default" not in chains:
        table.fail("", "the chain `default` is missing.")
    for name, chain in chains.items():
        if not chain:
            table.fail(name, f"the chain {name!r} is empty: a case would have no owner.")
        for code in chain:
            if code not in levels:
                table.fail(name, f"the chain {name!r} names the level {code!r}, which is not there.")
            if not levels[code].may_hold_posts:
                table.fail(name, f"the chain {name!r} names {code!r}, a level at which nobody holds a post.")
    return chains


def load_categories(path: Path, levels: Levels | None = None) -> Categories:
    """Read categories; with `levels` given, their chains are checked against it."""
    root = read_toml(path).root()
    edition = root.text("edition")
    stage_table = root.table("stages")
    stages = {stage: _read_term(stage_table, stage) for stage in STAGES}
    stage_table.finish()
    majors = _read_majors(root)
    tile_tables = root.tables("tile")
    tiles = tuple(Tile(_read_code(t), t.text("zh"), t.text("en"), t.text("category")) for t in tile_tables)
    categories: dict[str, Category] = {}
    for table in root.tables("category"):
        category = _read_category(table, tuple(tile.code for tile in tiles))
        if category.code in categories:
            table.fail("code", f"the category {category.code} is there twice.")
        if category.major not in {major.code for major in majors}:
            table.fail("code", f"{category.code} belongs to the major class {category.major}, which is not there.")
        if levels is not None:
            _check_chain(table, category, levels)
        categories[category.code] = category
    for table, tile in zip(tile_tables, tiles, strict=True):
        table.finish()
        if tile.category not in categories or categories[tile.category].retired:
            table.fail("category", f"the tile {tile.code!r} stands for {tile.category!r}, which is not in use.")
    root.finish()
    ordered = tuple(categories[code] for code in sorted(categories))
    return Categories(edition, majors, ordered, tiles, stages)


def _read_majors(root: TomlTable) -> tuple[Major, ...]:
    majors = []
    for table in root.tables("major"):
        major = Major(table.text("code"), table.text("zh"), table.text("en"))
        if len(major.code) != 3 or major.code[0] not in "CE" or not major.code[1:].isdigit():
            table.fail("code", f"{major.code!r} is no major class; they look like E01 or C03.")
        table.finish()
        majors.append(major)
    return tuple(majors)


def _read_category(table: TomlTable, tiles: tuple[str, ...]) -> Category:
    code = table.text("code")
    if len(code) != 5 or code[0] not in "CE" or not code[1:].isdigit():
        table.fail("code", f"{code!r} is no category; they look like E0110 or C0103.")
    emergency = table.flag("emergency")
    instant_fix = table.flag("instant_fix")
    conditions: list[Condition] = []
    for entry in table.tables("conditions"):
        condition = Condition(
            code=entry.text("code"),
            zh=entry.text("zh"),
            en=entry.text("en"),
            term=_read_term(entry, "term"),
            basis=entry.choice("basis", ("list", "ours"), "ours"),
            instant_fix=entry.flag("instant_fix", instant_fix),
            emergency=entry.flag("emergency", emergency),
        )
        if condition.emergency and condition.instant_fix:
            entry.fail("", f"{code}/{condition.code} is an emergency: it cannot be fixed on the spot by a chief.")
        if condition.code in {earlier.code for earlier in conditions}:
            entry.fail("code", f"{code} has the condition {condition.code!r} twice.")
        entry.finish()
        conditions.append(condition)
    if not conditions:
        table.fail("conditions", f"{code} has no filing condition and so no term.")
    category = Category(
        code=code,
        zh=table.text("zh"),
        en=table.text("en"),
        major=code[:3],
        tile=table.choice("tile", tiles),
        conditions=tuple(conditions),
        chain=table.text("chain", "default"),
        workflow=table.choice("workflow", WORKFLOWS, "standard"),
        emergency=emergency,
        no_chief=table.flag("no_chief"),
        local=table.flag("local"),
        retired=table.flag("retired"),
    )
    table.finish()
    return category


def _read_term(table: TomlTable, key: str) -> Term:
    words = table.text(key).split()
    try:
        amount, unit = float(words[0]), words[1]
    except (ValueError, IndexError):
        table.fail(
            key, f"{' '.join(words)!r} is no term.", hint='Terms look like "4 working_hour" or "1.5 urgent_day".'
        )
    if len(words) != 2 or unit not in TERM_UNITS or not 0 < amount <= 1000:
        table.fail(
            key, f"{' '.join(words)!r} is no term.", hint=f"A number above 0 and one of {', '.join(TERM_UNITS)}."
        )
    return Term(amount, unit)


def _check_chain(table: TomlTable, category: Category, levels: Levels) -> None:
    if category.chain not in levels.chains:
        table.fail("chain", f"there is no chain {category.chain!r} among the levels.")
    if category.no_chief:
        others = [code for code in levels.chain(category.chain) if not levels.get(code).office]
        if others:
            table.fail(
                "chain",
                f"{category.code} must not be given to a community or chief, yet its chain {category.chain!r} "
                f"holds {', '.join(others)}.",
                hint="Choose a chain of levels with `office = true`.",
            )


def load_layers(folder: Path, levels: Levels | None = None) -> Layers:
    """Read every `*.toml` of a folder as one map layer, its code being the file's name."""
    layers = [_read_layer(read_toml(path).root(), levels) for path in sorted(folder.glob("*.toml"))]
    return Layers(tuple(sorted(layers, key=lambda layer: (layer.order, layer.code))))


def _read_layer(root: TomlTable, levels: Levels | None) -> Layer:
    source = root.choice("source", LAYER_SOURCES)
    level = root.text("level", "")
    if source == "areas" and (not level or (levels is not None and level not in levels)):
        root.fail("level", f"the level {level!r} is not there; a layer of areas names one.")
    if source != "areas" and level:
        root.fail("level", f"a layer of {source} has no level.")
    ground = root.text("ground", "")
    if source == "ground" and not ground:
        root.fail("ground", "a layer of the ground names what it draws: roads, water, green, buildings.")
    if source != "ground" and ground:
        root.fail("ground", f"a layer of {source} draws no ground layer.")
    legend = root.table("legend")
    layer = Layer(
        code=root.name,
        source=source,
        level=level,
        style=_read_style(root.table("style")),
        zooms=_read_zooms(root),
        legend_zh=legend.text("zh"),
        legend_en=legend.text("en"),
        audience=_read_audience(root),
        order=root.whole("order"),
        label=_read_label(root.table("label", required=False)),
        ground=ground,
        kinds=_read_kinds(root, source),
    )
    legend.finish()
    root.finish()
    return layer


def _read_zooms(root: TomlTable) -> tuple[int, int]:
    value = root.take("zooms")
    if isinstance(value, list) and len(value) == 2 and all(type(zoom) is int for zoom in value):
        low, high = value
        if 0 <= low <= high <= 22:
            return low, high
    return root.fail("zooms", "zooms must be two whole numbers from 0 to 22, the smaller first.")


def _read_audience(root: TomlTable) -> tuple[str, ...]:
    value = root.take("audience")
    if value in ("public", "staff"):
        return (str(value),)
    if isinstance(value, list) and value and all(isinstance(role, str) for role in value):
        return tuple(value)
    return root.fail("audience", 'audience is "public", "staff" or a list of roles.')


def _read_kinds(root: TomlTable, source: str) -> tuple[KindStyle, ...]:
    tables = root.tables("kind", required=False)
    if tables and source != "ground":
        root.fail("kind", f"a layer of {source} has no kinds.")
    if len(tables) > MOST_KINDS:
        root.fail("kind", f"a layer has at most {MOST_KINDS} kinds.")
    kinds: list[KindStyle] = []
    for table in tables:
        values = table.texts("values")
        earlier = [value for kind in kinds for value in kind.values]
        twice = [value for value in values if value in earlier]
        if not values or twice:
            table.fail("values", f"the kind {twice[0]!r} is there twice." if twice else "values must not be empty.")
        zh, en, from_zoom = table.text("zh"), table.text("en"), table.whole("from_zoom", 0)
        kinds.append(KindStyle(values, zh, en, _read_style(table), from_zoom))
    return tuple(kinds)


def _read_style(table: TomlTable) -> Style:
    style = Style(
        color=table.text("color"),
        fill=table.text("fill", ""),
        weight=table.number("weight", 1.0),
        opacity=table.number("opacity", 1.0),
        fill_opacity=table.number("fill_opacity", 0.0),
        dash=table.text("dash", ""),
        radius=table.number("radius", 6.0),
        by=table.text("by", ""),
        casing=table.text("casing", ""),
    )
    for key, value in (("opacity", style.opacity), ("fill_opacity", style.fill_opacity)):
        if not 0 <= value <= 1:
            table.fail(key, f"{key} lies between 0 and 1.")
    table.finish()
    return style


def _read_label(table: TomlTable) -> Label:
    label = Label(field=table.text("field", ""), from_zoom=table.whole("from_zoom", 0))
    table.finish()
    return label
