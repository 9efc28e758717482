"""From an action's input dataclass to a Django form, and from a POST back to plain data.

The form only asks and shows: what is right is decided once, by `inputs.parse_input` inside
`perform`. Names of fields are paths ("bills.0.lines.2.amount"), the same that errors carry.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import DomainError, InvalidInputs

Tree = dict[str, Any]
INDEXED = re.compile(r"^\d{1,4}$")
MAX_ROWS = 500


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


@dataclass
class Rows:
    """A list of nested rows in a form: the rows given, and an empty one for the browser to copy."""

    name: str
    label: Any
    help: Any
    forms: list[ActionForm]
    blank: ActionForm
    errors: list[Any]
    mark: str  # placeholder of the index in the blank row


@dataclass
class Asked:
    """One thing the form asks: a field, or rows."""

    kind: str  # text textarea money date datetime select tristate multiple bool user file hidden rows group
    bound: Any = None
    rows: Rows | None = None
    group: ActionForm | None = None
    label: Any = ""
    help: Any = ""
    rule: str = ""
    required: bool = False
    errors: tuple[Any, ...] = ()


class ActionForm(forms.Form):
    """Built by `form_for`; `ctx` is what callable choices look at.

    A list that `initial` starts with empty rows shows one again when nobody filled any.
    """

    input_class: type[Any]
    kinds: Mapping[str, str]
    nested: Mapping[str, type[ActionForm]]
    grouped: Mapping[str, type[ActionForm]]
    use_required_attribute = False

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        initial: Mapping[str, Any] | None = None,
        prefix: str = "",
        ctx: Any = None,
        depth: int = 0,
    ):
        self.ctx, self.depth, self.path_errors = ctx, depth, MultiValueDict()  # type: ignore[var-annotated]
        given = {name: _as_shown(value) for name, value in (initial or {}).items()}
        super().__init__(data, files, initial=given, prefix=prefix or None, auto_id="f-%s")
        self._fill_choices()

    def add_prefix(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    def _fill_choices(self) -> None:
        for item in fields(self.input_class):
            field, choices = self.fields.get(item.name), item.metadata.get("choices")
            if field is None or not isinstance(field, (forms.ChoiceField, forms.MultipleChoiceField)):
                continue
            if self.kinds[item.name] == "user":
                field.choices = [("", "—"), *people(self.ctx, item.metadata.get("roles") or frozenset())]
            elif choices is not None:
                given = choices(self.ctx) if callable(choices) else choices
                found = [(key, in_words(key, label)) for key, label in given]
                blank = [("", "—")] if self.kinds[item.name] == "select" else []
                field.choices = [*(blank if not any(key == "" for key, _l in found) else []), *found]

    # --- Asking --------------------------------------------------------------------------------

    def asked(self) -> list[Asked]:
        """Everything the form asks, in the order of the dataclass."""
        return [self._asked(item) for item in fields(self.input_class)]

    @property
    def f(self) -> dict[str, Asked]:
        """The same by name, for templates that place each field themselves."""
        return {item.name: self._asked(item) for item in fields(self.input_class)}

    def _asked(self, item: Any) -> Asked:
        path, metadata = self.add_prefix(item.name), item.metadata
        shared: dict[str, Any] = {
            "label": metadata.get("label") or item.name,
            "help": metadata.get("help", ""),
            "rule": metadata.get("rule", ""),
            "required": _is_required(item),
            "errors": tuple(self.path_errors.getlist(path)),
        }
        if item.name in self.nested:
            return Asked("rows", rows=self._rows(item, path, shared), **shared)
        if item.name in self.grouped:
            return Asked("group", group=self._group(item.name), **shared)
        return Asked(self.kinds[item.name], bound=self[item.name], **shared)

    def _group(self, name: str) -> ActionForm:
        data, files = (self.data, self.files) if self.is_bound else (None, None)
        given = _as_mapping(self.initial.get(name) or {})
        group = self.grouped[name](
            data, files, initial=given, prefix=self.add_prefix(name), ctx=self.ctx, depth=self.depth
        )
        group.path_errors = self.path_errors
        return group

    def _rows(self, item: Any, path: str, shared: Mapping[str, Any]) -> Rows:
        name, mark = item.name, f"__{self.depth}__"
        nested = self.nested[name]
        options: dict[str, Any] = {"ctx": self.ctx, "depth": self.depth + 1}
        given = [_as_mapping(row) for row in self.initial.get(name) or []]
        given = given or [{}] * _is_required(item)  # what must be filled in stands there to be filled in
        rows = []
        if self.is_bound:
            given = given[:1] if _is_blank(given) else []  # the row to start with; never one removed by hand
            rows = [
                nested(
                    self.data,
                    self.files,
                    initial=given[0] if given else None,
                    prefix=f"{path}.{n}",
                    **options,
                )
                for n in range(row_count(self.data, path))
            ]
        rows = rows or [nested(initial=row, prefix=f"{path}.{n}", **options) for n, row in enumerate(given)]
        for row in rows:
            row.path_errors = self.path_errors
        return Rows(
            name,
            shared["label"],
            shared["help"],
            rows,
            nested(prefix=f"{path}.{mark}", **options),
            list(shared["errors"]),
            mark,
        )

    # --- Answers -------------------------------------------------------------------------------

    def payload(self) -> Tree:
        """What was filled in, as plain data for `perform`: blank fields are left out."""
        tree: Tree = {}
        for item in fields(self.input_class):
            value = self._answer(item)
            if value is not None:
                tree[item.name] = value
        return tree

    def _answer(self, item: Any) -> Any:
        name, path = item.name, self.add_prefix(item.name)
        if name in self.nested:
            options: dict[str, Any] = {"depth": self.depth + 1, "ctx": self.ctx}
            rows = range(row_count(self.data, path))
            return [
                self.nested[name](self.data, self.files, prefix=f"{path}.{n}", **options).payload()
                for n in rows
            ]
        if name in self.grouped:
            group = self._group(name)
            return group.payload() if item.default is MISSING or group.touched else None
        given: list[str] = self.data.getlist(path)  # type: ignore[attr-defined]
        kind, values = self.kinds[name], [value.strip() for value in given]
        if kind == "file":
            uploads = self.files.getlist(path)
            return (uploads if _is_tuple(self.input_class, name) else uploads[0]) if uploads else None
        if kind == "bool":
            ticked = bool(values) and values[-1] in ("on", "true", "True", "1")
            return ticked or None if item.default is False else ticked
        if kind == "multiple":
            return [value for value in values if value] or None
        filled = [value for value in values if value]
        return (
            ",".join(filled) or None if _is_tuple(self.input_class, name) else (filled[0] if filled else None)
        )

    @property
    def touched(self) -> bool:
        """Whether anybody filled in more than what stood there from the start."""
        usual = {item.name: str(item.default) for item in fields(self.input_class)}
        return any(str(value) != usual[name] for name, value in self.payload().items())

    @property
    def wrong(self) -> bool:
        """Whether an error belongs somewhere in this part of the form."""
        return any(path.startswith(f"{self.prefix}.") for path in self.path_errors)

    def take_error(self, error: DomainError) -> None:
        """Put each error at its field; what belongs to none stands above the form."""
        for one in error.errors if isinstance(error, InvalidInputs) else [error]:
            self.path_errors.appendlist(one.field or "", one)

    def named_errors(self) -> list[tuple[str, Any]]:
        """Every error with the words of its field, rows counted from one: "费用明细 2 · 金额"."""
        return [(self._words(path), error) for path, errors in self.path_errors.lists() for error in errors]

    def _words(self, path: str) -> str:
        """Labels down the nested forms; the path as it stands where none is known."""
        form: type[ActionForm] | None = type(self)
        said: list[str] = []
        for part in path.split("."):
            if part.isdigit() and said:
                said[-1] += f" {int(part) + 1}"
                continue
            item = next((one for one in fields(form.input_class) if one.name == part), None) if form else None
            if form is None or item is None:
                return path
            said.append(str(item.metadata.get("label") or part))
            form = {**form.nested, **form.grouped}.get(part)
        return " · ".join(said)

    def loose_errors(self) -> list[Any]:
        """Errors whose field the form does not show."""
        shown = set(self._paths())
        return [error for path, errors in self.path_errors.lists() if path not in shown for error in errors]

    def _paths(self) -> Iterable[str]:
        for item in fields(self.input_class):
            path = self.add_prefix(item.name)
            yield path
            if item.name in self.nested:
                for row in self._rows(item, path, {"label": "", "help": "", "errors": ()}).forms:
                    yield from row._paths()
            elif item.name in self.grouped:
                yield from self._group(item.name)._paths()


def _as_shown(value: Any) -> Any:
    """Initial values as inputs show them: local times, plain amounts."""
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
    return str(value) if isinstance(value, Decimal) else value


def _as_mapping(row: Any) -> Mapping[str, Any]:
    return {item.name: getattr(row, item.name) for item in fields(row)} if is_dataclass(row) else row


def _is_blank(given: Any) -> bool:
    """Whether rows to start with hold nothing but further such rows."""
    if isinstance(given, Mapping):
        return all(map(_is_blank, given.values()))
    return isinstance(given, list) and all(map(_is_blank, given))


def _is_required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _is_tuple(cls: type[Any], name: str) -> bool:
    return typing.get_origin(typing.get_type_hints(cls)[name]) is tuple


# --- Building --------------------------------------------------------------------------------


def form_for(cls: type[Any]) -> type[ActionForm]:
    """The form class of an input dataclass; made once."""
    if cls not in _FORMS:
        _FORMS[cls] = _build(cls)
    return _FORMS[cls]


def _build(cls: type[Any]) -> type[ActionForm]:
    hints = typing.get_type_hints(cls)
    kinds: dict[str, str] = {}
    nested: dict[str, type[ActionForm]] = {}
    grouped: dict[str, type[ActionForm]] = {}
    members: dict[str, Any] = {"input_class": cls, "kinds": kinds, "nested": nested, "grouped": grouped}
    for item in fields(cls):
        hint = _plain(hints[item.name])
        inner = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
        if inner is not None and is_dataclass(inner):
            nested[item.name] = form_for(inner)  # type: ignore[arg-type]
            continue
        if is_dataclass(hint):
            grouped[item.name] = form_for(hint)  # type: ignore[arg-type]
            continue
        kinds[item.name] = kind = _kind(hint, inner, item)
        members[item.name] = _field(kind, item)
    return type(cls.__name__.removesuffix("Input") + "Form", (ActionForm,), members)


def _plain(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(arg for arg in typing.get_args(hint) if arg is not type(None))
    return hint


NUMBERS = ("money", "number", "integer")
ACCEPTED = ".pdf,.jpg,.jpeg,.png,.tif,.tiff,.webp,.ofd,.xml"
UNSEEN = [("", _("not looked at")), ("true", _("yes")), ("false", _("no"))]
USUAL = [("", "—"), ("true", _("yes")), ("false", _("no"))]
_FORMS: dict[type[Any], type[ActionForm]] = {}
CODE_WORDS: dict[str, Any] = {}  # words for choices that are bare codes; apps add theirs


def in_words(code: Any, label: Any) -> Any:
    """The label of a choice; where that is the bare code, the words it has on screens."""
    return CODE_WORDS.get(code, label) if label == code else label


BY_TYPE = {bool: "bool", date: "date", datetime: "datetime", Decimal: "number", int: "integer"}


def _kind(hint: Any, inner: Any, item: Any) -> str:
    asked: str = item.metadata.get("widget", "")
    choices = item.metadata.get("choices")
    if inner is not None and choices is not None:
        return "multiple"
    if asked in ("user", "file", "hidden", "textarea", "money", "date", "datetime", "files"):
        return "file" if asked == "files" else asked
    if choices is not None:
        return "select"
    if hint is bool and item.default is not False and item.default is not MISSING:
        return "tristate"  # empty = as it is, or as usual
    return BY_TYPE.get(hint, "text")


def _field(kind: str, item: Any) -> forms.Field:
    """All optional and untyped on purpose: `parse_input` has the only say."""
    default = None if item.default is MISSING else item.default
    attrs: dict[str, Any] = {}
    if limit := item.metadata.get("max_length"):
        attrs["maxlength"] = limit
    if kind in NUMBERS and default is not None:
        attrs["placeholder"], default = str(default), None
    shared: dict[str, Any] = {
        "required": False,
        "label": item.metadata.get("label") or item.name,
        "initial": default,
    }
    if kind == "tristate":
        shared["initial"] = None
        return forms.ChoiceField(choices=UNSEEN if default is None else USUAL, **shared)
    if kind in ("select", "user"):
        return forms.ChoiceField(**shared)
    if kind == "multiple":
        return forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, **shared)
    if kind == "bool":
        return forms.BooleanField(**shared)
    if kind == "file":
        return forms.FileField(widget=FilesInput(attrs={"accept": ACCEPTED}), **shared)
    return forms.CharField(widget=_text_widget(kind, attrs), **shared)


def _text_widget(kind: str, attrs: dict[str, Any]) -> forms.Widget:
    if kind == "textarea":
        return forms.Textarea(attrs={"rows": 3, **attrs})
    if kind == "hidden":
        return forms.HiddenInput()
    if kind == "date":
        return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    if kind == "datetime":
        return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    if kind in NUMBERS:
        mode = "numeric" if kind == "integer" else "decimal"
        return forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off", "class": "c-num", **attrs})
    return forms.TextInput(attrs={"autocomplete": "off", **attrs})


def people(ctx: Any, roles: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """Whom a form may name: active users of the case's administrator or of the insurer, with one of the
    roles where some are given; kept a request."""
    tpa = ctx.case.tpa if ctx is not None else ""
    shared: dict[Any, Any] = ctx.batch.shared if ctx is not None else {}
    if ("form_people", roles) not in shared:
        shared["form_people", roles] = assignable([tpa], roles)
    found: list[tuple[str, str]] = shared["form_people", roles]
    return found


def assignable(tpas: Iterable[str], roles: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    users = User.objects.filter(is_active=True, is_staff=True, tpa__in=["", *tpas]).select_related("team")
    if roles:
        users = users.filter(roles__code__in=roles).distinct()
    return [
        (str(user.pk), f"{user} · {user.team}" if user.team else str(user))
        for user in users.order_by("team", "name")
    ]


# --- Posts -----------------------------------------------------------------------------------


def row_count(data: Mapping[str, Any], path: str) -> int:
    """How many rows stand under a path (names are dense after `tidy`)."""
    start, numbers = f"{path}.", {-1}
    for name in data:
        if name.startswith(start):
            head = name[len(start) :].split(".", 1)[0]
            if INDEXED.match(head):
                numbers.add(int(head))
    return min(max(numbers) + 1, MAX_ROWS)


def tidy(post: QueryDict) -> MultiValueDict[str, str]:
    """The same fields with rows nobody filled in dropped and the rest numbered without gaps."""
    filled = {name for name in post if any(value.strip() for value in post.getlist(name))}
    renamed: MultiValueDict[str, str] = MultiValueDict()
    numbers: dict[str, dict[str, int]] = {}
    for name in sorted(filled, key=_natural):
        parts, path = name.split("."), ""
        for position, part in enumerate(parts):
            if INDEXED.match(part) and position:
                seen = numbers.setdefault(path, {})
                part = str(seen.setdefault(part, len(seen)))
            path = f"{path}.{part}" if path else part
        renamed.setlist(path, post.getlist(name))
    return renamed


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if INDEXED.match(part) else (-1, part) for part in name.split(".")]


def tree_of(data: Mapping[str, Any]) -> Tree:
    """{"visits.0.bills.0.number": "1"} → {"visits": [{"bills": [{"number": "1"}]}]}."""
    tree: Tree = {}
    for name in data:
        *parents, leaf = name.split(".")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[leaf] = data[name]
    densified: Tree = _dense(tree)
    return densified


def _dense(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(INDEXED.match(key) for key in node):
        return [_dense(node[key]) for key in sorted(node, key=int)]
    return {key: _dense(value) for key, value in node.items()}


def local_input(moment: datetime) -> str:
    """A moment as `datetime-local` wants it."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}"
