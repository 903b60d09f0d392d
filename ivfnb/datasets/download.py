"""One pinned file from its URL to its place: resumed where it was cut off, checked, and put in place whole or not at all."""

import os
import time
from pathlib import Path

from ivfnb.datasets.manifest import DatasetError, Pin, fault

TRIES = 5
PAUSE = 1.0  # seconds before the second try; each further one waits that much longer
BLOCK = 1 << 14  # bytes written at a time: at most that much is lost when the line breaks
UNPINNED_LIMIT = 1 << 28  # bytes taken of a file whose size no pin tells


class _Part:
    """What has come so far of a file: `.NAME.part` beside its place, gone on with by an earlier try's or an earlier run's successor."""

    def __init__(self, pin: Pin, place: Path, timeout: float, progress: bool):
        self.pin, self.file, self.timeout, self.progress = pin, part(place), timeout, progress

    def have(self) -> int:
        """Bytes that have come."""
        return self.file.stat().st_size if self.file.exists() else 0

    def complete(self) -> None:
        """Bring what lacks; DatasetError when tries are used up, the server refuses (404 is not tried again) or the disk does."""
        import requests

        for attempt in range(1, TRIES + 1):
            try:
                return self._go_on()
            except requests.HTTPError as error:
                raise DatasetError(f"{self.pin.url}: found HTTP status {error.response.status_code}, expected the file") from error
            except (requests.RequestException, ConnectionError) as error:
                if attempt == TRIES:
                    kept = f"{self.have()} bytes are kept in {self.file}: the same command goes on from there"
                    raise DatasetError(
                        f"{self.pin.url}: found {error} at try {attempt}, expected {self.pin.bytes or 'all'} bytes; {kept}"
                    ) from error
                time.sleep(PAUSE * attempt)
            except OSError as error:
                raise DatasetError(
                    f"{self.file}: found {error.strerror or error} after {self.have()} bytes, expected to write {self.pin.bytes or 'all'}"
                ) from error

    def _go_on(self) -> None:
        import requests
        from tqdm import tqdm

        size, have, limit = self.pin.bytes, self.have(), self.pin.bytes or UNPINNED_LIMIT
        if have and have == size:
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(str(self.pin.url), headers=headers, stream=True, timeout=self.timeout) as reply:
            if reply.status_code == 416:  # the part is longer than the file: not a part of it
                self.file.unlink()
                raise ConnectionError("HTTP status 416")
            reply.raise_for_status()
            have = have if reply.status_code == 206 else 0
            total = size or int(reply.headers.get("Content-Length", 0)) + have or None
            bar = tqdm(
                total=total, initial=have, unit="B", unit_scale=True, desc=self.file.name[1:-5], disable=None if self.progress else True
            )
            with self.file.open("ab" if have else "wb") as file, bar:
                for block in reply.iter_content(BLOCK):
                    have += len(block)
                    if have > limit:
                        break
                    file.write(block)
                    bar.update(len(block))
        if have > limit:
            self.file.unlink()
            raise DatasetError(f"{self.pin.url}: found more than {limit} bytes, expected at most that")
        if size is not None and have < size:
            raise ConnectionError(f"the end after {have} bytes")


def part(place: Path) -> Path:
    """Where what has come of a file is kept until it is whole."""
    return place.with_name(f".{place.name}.part")


def download(pin: Pin, place: Path, timeout: float = 60, progress: bool = False) -> Path:
    """Download one file to its place, unless it is there and as pinned.

    A file that stands there is replaced when the new one is whole and as pinned, never before. A wrong hash leaves nothing new behind; a
    broken line leaves the part that came, hidden beside the place. Two processes must not bring one file at once (`locks.held`).

    Parameters
    ----------
    pin : what to download.
    place : file to write; its folder is made.
    timeout : seconds without a byte after which a line counts as broken.
    progress : whether to show a bar, where the error stream is a terminal.

    Returns
    -------
    Path
        `place`.

    Raises
    ------
    DatasetError
        For no answer, a refusal, a wrong size or hash, or a full disk; the message names the URL or the file, what was found and expected.
    """
    if pin.url is None:
        raise DatasetError(f"{place}: found no address to download it from in the manifest, expected the file to be here")
    if pin.digest and fault(place, pin) is None:
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    coming = _Part(pin, place, timeout, progress)
    stale = coming.file.exists()
    while True:
        coming.complete()
        wrong = fault(coming.file, pin)
        if wrong is None:
            os.replace(coming.file, place)
            return place
        coming.file.unlink()
        if not stale:
            raise DatasetError(f"{pin.url}: {wrong}")
        stale = False  # a part left by another version of the file is no reason to give up: once more from the start
