"""Where messages wait: an IMAP folder, or a folder of files. Both say the size before anything is read."""

from __future__ import annotations

import contextlib
import imaplib
import os
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from apps.mailroom.inbox.mailboxes import Account

TIMEOUT = 30  # seconds for one answer of the server
FIRST_BYTES = 64 * 1024  # of a message that is too large


class Trouble(Exception):
    """The mailbox cannot be read now; nothing is lost. Says why in words for people."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is there; nothing of it has been read."""

    key: str  # UID or file name
    size: int
    arrived_at: datetime | None = None


class Source(Protocol):
    """`validity` and UIDs let the poller remember how far it came; folders have 0."""

    validity: int

    def waiting(self, after: int, limit: int) -> list[Waiting]: ...
    def fetch(self, one: Waiting, *, first_bytes: int = 0) -> bytes | None: ...
    def done(self, one: Waiting) -> None: ...


@contextlib.contextmanager
def opened(account: Account) -> Iterator[Source]:
    """The source of an account for the length of one poll. Raises Trouble."""
    if account.scheme == "maildir":
        yield FolderSource(Path(account.folder))
        return
    source = ImapSource(account)
    try:
        yield source
    finally:
        source.close()


# --- IMAP -----------------------------------------------------------------------------------------------


class ImapSource:
    """One folder by IMAP4rev1, read with BODY.PEEK: only `done` marks a message as seen."""

    def __init__(self, account: Account):
        self._folder = account.folder
        with _trouble("cannot connect"):
            self._imap = _connect(account)
        try:
            with _trouble("cannot log in"):
                self._imap.login(account.user, account.password)
            with _trouble("cannot open the folder"):
                self._expect(*self._imap.select(f'"{self._folder}"'))
                self.validity = int(self._imap.untagged_responses["UIDVALIDITY"][0])  # type: ignore[arg-type]
        except BaseException:
            self.close()
            raise

    def waiting(self, after: int, limit: int) -> list[Waiting]:
        """What came after a UID, and what is still unseen below it (servers may show mail late)."""
        with _trouble("cannot search"):
            found = self._uids("UID", f"{after + 1}:*") | self._uids("UNSEEN")
        # "n:*" names the last message even when it lies below n.
        unseen = self._unseen
        uids = sorted(uid for uid in found if uid > after or uid in unseen)[:limit]
        return [one for start in range(0, len(uids), 100) for one in self._sizes(uids[start : start + 100])]

    def _uids(self, *criteria: str) -> set[int]:
        answer = self._expect(*self._imap.uid("SEARCH", *criteria))
        uids = {int(word) for line in answer if line for word in line.split()}
        if criteria == ("UNSEEN",):
            self._unseen = uids
        return uids

    def _sizes(self, uids: list[int]) -> list[Waiting]:
        with _trouble("cannot list"):
            names = ",".join(map(str, uids))
            answer = self._expect(*self._imap.uid("FETCH", names, "(UID RFC822.SIZE INTERNALDATE)"))
        found = {}
        for line in answer:
            text = line[0] if isinstance(line, tuple) else line
            uid, size = re.search(rb"UID (\d+)", text or b""), re.search(rb"RFC822\.SIZE (\d+)", text or b"")
            if uid and size:
                found[int(uid[1])] = Waiting(uid[1].decode(), int(size[1]), _internal_date(text))
        return [found[uid] for uid in uids if uid in found]

    def fetch(self, one: Waiting, *, first_bytes: int = 0) -> bytes | None:
        """The bytes, or None when the message is gone meanwhile."""
        part = f"<0.{first_bytes}>" if first_bytes else ""
        with _trouble("cannot read a message"):
            answer = self._expect(*self._imap.uid("FETCH", one.key, f"(BODY.PEEK[]{part})"))
        return next((line[1] for line in answer if isinstance(line, tuple)), None)

    def done(self, one: Waiting) -> None:
        with _trouble("cannot mark a message"):
            self._imap.uid("STORE", one.key, "+FLAGS.SILENT", "(\\Seen)")

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._imap.logout()

    @staticmethod
    def _expect(status: str, answer: list[Any]) -> list[Any]:
        if status != "OK":
            raise imaplib.IMAP4.error(str(answer[:1])[:200])
        return answer


def _connect(account: Account) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if account.scheme == "imaps":
        return imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=TIMEOUT)
    imap = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT)
    if account.scheme == "imap+starttls":
        imap.starttls(context)
    return imap


def _internal_date(text: bytes) -> datetime | None:
    found = re.search(rb'INTERNALDATE "([^"]+)"', text)
    if not found:
        return None
    words = found[1].decode("ascii", "replace").strip().replace("-", " ", 2)
    try:
        return parsedate_to_datetime(words).astimezone(UTC)
    except (ValueError, TypeError, IndexError):
        return None


@contextlib.contextmanager
def _trouble(what: str) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError, KeyError) as error:
        raise Trouble(f"{what}: {error or type(error).__name__}"[:300]) from error


# --- A folder of files ----------------------------------------------------------------------------------


class FolderSource:
    """A maildir: what lies in `new/` waits, what is done goes to `cur/`. An .eml beside them waits, too."""

    validity = 0

    def __init__(self, folder: Path):
        self._folder = folder
        try:
            for name in ("new", "cur", "tmp"):
                (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Trouble(f"cannot open the folder: {error}"[:300]) from error

    def waiting(self, after: int, limit: int) -> list[Waiting]:
        files = [*self._folder.glob("new/*"), *self._folder.glob("*.eml")]
        found = []
        for path in sorted(files):
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if path.is_file() and not path.is_symlink():
                    arrived = datetime.fromtimestamp(status.st_mtime, UTC)
                    key = str(path.relative_to(self._folder))
                    found.append(Waiting(key, status.st_size, arrived))
        return found[:limit]

    def fetch(self, one: Waiting, *, first_bytes: int = 0) -> bytes | None:
        try:
            with (self._folder / one.key).open("rb") as file:
                return file.read(first_bytes or -1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Trouble(f"cannot read a message: {error}"[:300]) from error

    def done(self, one: Waiting) -> None:
        name = Path(one.key).name.partition(":")[0]
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._folder / one.key, self._folder / "cur" / f"{name}:2,S")
