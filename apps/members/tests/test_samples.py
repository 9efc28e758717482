"""The sample workbooks: what they promise, and that the importers live up to it."""

import time
import zipfile
from pathlib import Path

import pytest
from django.conf import settings

from apps.core.imports import run
from apps.hospitals.importer import HospitalImporter
from apps.hospitals.models import Hospital, NetworkEntry
from apps.members.models import FormerIdentity, Guardian, Member, Policy
from apps.members.roster import RosterImporter
from apps.products.tests.helpers import load
from scripts.samples import hospitals as hospital_samples
from scripts.samples import roster as roster_samples

SAMPLES = Path(settings.BASE_DIR) / "fixtures/samples"
PAGE = 4096


@pytest.fixture(autouse=True)
def handbooks(db):
    load("2024", "2026", plans=True)


def resident_megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


@pytest.mark.slow
def test_the_sample_roster_is_imported_in_time_and_memory():
    """5,000 insured children within 60 seconds and 50 MB, encryption included."""
    run(RosterImporter(), SAMPLES / "roster-broken.xlsx", dry_run=True)  # warms caches and libraries
    before, started = resident_megabytes(), time.process_time()
    report = run(RosterImporter(), SAMPLES / "roster.xlsx", dry_run=False)
    assert time.process_time() - started < 60  # this process's own, whoever else is at work
    assert resident_megabytes() - before < 50
    assert report.errors == []
    assert Member.objects.count() >= 5000
    assert Policy.objects.filter(series="2024").count() > 1000
    assert Policy.objects.filter(series="2026").count() > 1000
    assert Policy.objects.filter(renewed=True).exists()
    assert Policy.objects.filter(ended_on__isnull=False).exists()
    assert FormerIdentity.objects.exists()
    assert Member.objects.filter(name__contains="䶮").exists()
    assert Member.objects.filter(name__contains="𠮷").exists()
    assert Member.objects.values("id_type").distinct().count() >= 6
    assert (
        Guardian.objects.values("id_index").distinct().count() < Guardian.objects.count()
    )  # twins, siblings


def test_every_mistake_of_the_broken_roster_is_found():
    report = run(RosterImporter(), SAMPLES / "roster-broken.xlsx", dry_run=False)
    first_wrong = 4 + 30 + 1  # titles and header, good rows
    two_row_mistakes = [
        len(roster_samples.MISTAKES) + first_wrong + 1,
        len(roster_samples.MISTAKES) + first_wrong + 3,
    ]
    wrong = sorted({error.row for error in report.errors})
    assert wrong == [*range(first_wrong, first_wrong + len(roster_samples.MISTAKES)), *two_row_mistakes]
    assert all(error.expected for error in report.errors)
    assert not Member.objects.exists()


def test_the_sample_hospitals():
    report = run(HospitalImporter(), SAMPLES / "hospitals.xlsx", dry_run=False)
    assert report.errors == []
    assert Hospital.objects.filter(sample=True).count() == 300
    assert set(NetworkEntry.objects.values_list("series", "network_group").distinct()) == {
        ("2026", "NATIONAL"), ("2026", "BEIJING"), ("2024", "A"), ("2024", "B"),
    }  # fmt: skip


def test_every_mistake_of_the_broken_hospitals_is_found():
    report = run(HospitalImporter(), SAMPLES / "hospitals-broken.xlsx", dry_run=False)
    assert report.wrong_rows == 22
    assert not Hospital.objects.exists()


@pytest.mark.parametrize("name", ["roster-broken.xlsx", "hospitals.xlsx", "hospitals-broken.xlsx"])
def test_the_samples_are_what_the_script_makes(name, tmp_path):
    makers = {
        "roster-broken.xlsx": roster_samples.write_broken_roster,
        "hospitals.xlsx": hospital_samples.write_hospitals,
        "hospitals-broken.xlsx": hospital_samples.write_broken_hospitals,
    }
    makers[name](tmp_path / name, year=2026)
    with zipfile.ZipFile(tmp_path / name) as made, zipfile.ZipFile(SAMPLES / name) as kept:
        assert {part: made.read(part) for part in made.namelist()} == {
            part: kept.read(part) for part in kept.namelist()
        }
