"""What workbooks call a series, a version or a plan group, and what the handbooks call them."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from apps.adjudication.handbook import Handbook, Version
from apps.core.errors import InvalidInput
from apps.core.imports.cells import fold
from apps.products.labels import words
from apps.products.queries import current_handbooks


def plain(words: str) -> str:
    """'全国版 ' and '全国' are the same, so are '优享 Plus计划' and '优享PLUS'."""
    return re.sub(r"[\s\-_]|(计划|方案|版|系列|成长优享(?=20))", "", fold(words)).upper()


def group_names(handbook: Handbook) -> dict[str, str]:
    """What a family would call each network group: the versions and plans that share it, in its language."""
    names: dict[str, list[str]] = {}
    for version in handbook.versions.values():
        names.setdefault(version.network_group, []).append(words(version.title)[0])
    return {group: " / ".join(titles) for group, titles in names.items()}


class SeriesBook:
    """The published handbooks by series. One query when built, none later."""

    def __init__(self) -> None:
        self.handbooks: dict[str, Handbook] = {
            version.series: version.handbook for version in current_handbooks()
        }

    def series(self, words: str) -> Handbook:
        """'2026系列', '成长优享2026' or '2026'. Raises InvalidInput naming the loaded ones."""
        found = plain(words)
        handbook = self.handbooks.get(found)
        if handbook is None:
            known = " / ".join(self.handbooks) or _("none is loaded; run load_handbook first")
            raise InvalidInput(
                _("a series whose handbook is loaded: %(known)s") % {"known": known},
                code="series",
                field="series",
            )
        return handbook

    def version(self, handbook: Handbook, words: str) -> Version | None:
        """A version, scheme or plan of the series by its code or one of its titles."""
        return self._versions(handbook).get(plain(words))

    def group(self, handbook: Handbook, words: str) -> str:
        """The network group a workbook means, by its own code or by a version that uses it (GEN-03)."""
        groups = {network.group for network in handbook.networks}
        found = plain(words).removesuffix("组").removesuffix("GROUP")
        if found in groups:
            return found
        version = self.version(handbook, words)
        if version and version.network_group in groups:
            return version.network_group
        raise InvalidInput(
            _("a network group of series %(series)s: %(groups)s")
            % {"series": handbook.series, "groups": " / ".join(sorted(groups))},
            code="network_group",
            field="network_group",
        )

    def check_benefit(self, handbook: Handbook, group: str, benefit: str) -> None:
        """Refuse a network that the series does not have (2024 has none for eye and dental, NET-05)."""
        benefits = sorted({network.benefit for network in handbook.networks if network.group == group})
        if benefit not in benefits:
            raise InvalidInput(
                _("a benefit with a network in series %(series)s: %(benefits)s")
                % {"series": handbook.series, "benefits": " / ".join(benefits)},
                code="no_such_network",
                field="benefit",
            )

    @staticmethod
    def _versions(handbook: Handbook) -> dict[str, Version]:
        return {
            plain(words): version
            for version in handbook.versions.values()
            for words in (version.code, version.title.zh, version.title.en)
        }
