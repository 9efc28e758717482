#!/usr/bin/env python3
"""Is every text of the screens translated into Chinese? Changes nothing; needs gettext.

Extracts the texts anew into a temporary copy of the catalogs and lists what is empty or fuzzy there:
ours (locale/) and those of unfold (claimsadmin/unfold_locale/), which ships no translations.
"""

from __future__ import annotations

import argparse
import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")

import django  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

LOCALE = "zh_Hans"
OURS = [ROOT / name for name in ("apps", "claimsadmin", "templates")]
UNUSED_BY_US = [
    f"*/contrib/{name}/*" for name in ("constance", "guardian", "location_field", "simple_history")
]


def extract(sources: list[Path], catalogs: Path, work: Path, ignore: list[str]) -> Path:
    """Run makemessages over `sources` against a copy of `catalogs`; returns the copied catalog.

    In a folder of links, because makemessages writes into any `locale` it meets below its own folder.
    """
    copy, links = work / "catalogs", work / "sources"
    links.mkdir(parents=True)
    copy.mkdir()
    for source in sources:
        if source.exists():
            (links / source.name).symlink_to(source)
    if catalogs.exists():
        shutil.copytree(catalogs, copy, dirs_exist_ok=True)
    os.chdir(links)
    settings.LOCALE_PATHS = [str(copy)]
    options: dict[str, Any] = {"no_obsolete": True, "no_wrap": True, "add_location": "file", "verbosity": 0}
    call_command("makemessages", locale=[LOCALE], ignore_patterns=ignore, symlinks=True, **options)
    return copy / LOCALE / "LC_MESSAGES" / "django.po"


def entries(catalog: Path, *selection: str) -> list[str]:
    """What msgattrib selects, an entry each: "place: text"."""
    command = ["msgattrib", "--no-wrap", "--no-obsolete", *selection, str(catalog)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    for block in output.split("\n\n"):
        text = "".join(re.findall(r'^(?:msgid )?"(.*)"$', block.partition("\nmsgstr")[0], re.MULTILINE))
        if text:  # all but the catalog's header
            place = " ".join(re.findall(r"^#: (.*)$", block, re.MULTILINE))
            found.append((place, text.encode().decode("unicode_escape").encode("latin-1").decode()))
    return [f"  {place}: {text}" for place, text in found if not is_said_by_others(text)]


@cache
def catalogs_of_others() -> list[gettext.NullTranslations]:
    """Catalogs of Django and of the installed packages; ours, compiled or not, have no part in it."""
    installed = [Path(config.path) for config in apps.get_app_configs()]
    theirs = [path / "locale" for path in installed if not any(path.is_relative_to(own) for own in OURS)]
    folders = [Path(django.__file__).parent / "conf" / "locale", *theirs]
    return [gettext.translation("django", str(path), [LOCALE], fallback=True) for path in folders]


def is_said_by_others(text: str) -> bool:
    return any(catalog.gettext(text) != text for catalog in catalogs_of_others())


def check(title: str, catalog: Path) -> bool:
    if not catalog.exists():
        print(f"{title}: no texts to translate")
        return True
    problems = {
        "not translated": entries(catalog, "--untranslated"),
        "fuzzy": entries(catalog, "--only-fuzzy"),
    }
    for problem, found in problems.items():
        if found:
            print(f"{title}: {len(found)} {problem}", *found, sep="\n")
    return not any(problems.values())


def unfold_folder() -> Path:
    import unfold

    return Path(unfold.__file__).resolve().parent


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--update-unfold", action="store_true", help="after an upgrade: renew unfold's catalog"
    )
    update = parser.parse_args().update_unfold
    if not shutil.which("xgettext"):
        print("gettext is missing: see `make doctor`", file=sys.stderr)
        return 1
    django.setup()
    unfold_catalogs = ROOT / "claimsadmin" / "unfold_locale"
    with tempfile.TemporaryDirectory(prefix="claims-texts-") as folder:
        ours = extract(OURS, ROOT / "locale", Path(folder) / "ours", ["*/tests/*"])
        theirs = extract([unfold_folder()], unfold_catalogs, Path(folder) / "unfold", UNUSED_BY_US)
        if update:
            shutil.copytree(theirs.parents[2], unfold_catalogs, dirs_exist_ok=True)
        results = [check("Our texts", ours), check("Texts of unfold", theirs)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
