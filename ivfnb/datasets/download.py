"""One pinned file from its URL to its place: resumed where it was cut off, checked, and put in place whole or not at all."""

import os
import time
from pathlib import Path

from ivfnb.datasets.manifest import DatasetError, Pin, fault

TRIES = 5
PAUSE = 1.0  # seconds before the second try; each further one waits that much longer
BLOCK = 1 << 14  # bytes written at a time: at most that much is lost when the line breaks
UNPINNED_LIMIT = 1 << 28  # bytes taken of a file whose size no pin tells


class Resuming:
    """A downloader for `pooch` that goes on where an earlier try, or an earlier run, was cut off.

    What has come so far stays beside the file as `.NAME.part`. What the server refuses (404 and the like) is not tried again.
    """

    def __init__(self, pin: Pin, part: Path, timeout: float, progress: bool):
        self.pin, self.part, self.timeout, self.progress = pin, part, timeout, progress

    def __call__(self, url: str, output_file: str, _pooch: object = None) -> None:
        """Download `url` to `output_file`; DatasetError when tries are used up or the server refuses, ValueError for a wrong git hash."""
        import requests

        for attempt in range(1, TRIES + 1):
            try:
                self._go_on(url)
                break
            except requests.HTTPError as error:
                raise DatasetError(f"{url}: found HTTP status {error.response.status_code}, expected the file") from error
            except (requests.RequestException, ConnectionError) as error:
                if attempt == TRIES:
                    kept = f"{self._have()} bytes are kept in {self.part}: the same command goes on from there"
                    raise DatasetError(
                        f"{url}: found {error} at try {attempt}, expected {self.pin.bytes or 'all'} bytes; {kept}"
                    ) from error
                time.sleep(PAUSE * attempt)
        if (
            self.pin.digest and self.pin.digest.startswith("git:") and (wrong := fault(self.part, self.pin))
        ):  # pooch does not know git's hash
            self.part.unlink()
            raise ValueError(wrong)
        os.replace(self.part, output_file)

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _go_on(self, url: str) -> None:
        import requests
        from tqdm import tqdm

        size, have, limit = self.pin.bytes, self._have(), self.pin.bytes or UNPINNED_LIMIT
        if have and have == size:
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as reply:
            if reply.status_code == 416:  # the part is longer than the file: not a part of it
                self.part.unlink()
                raise ConnectionError("HTTP status 416")
            reply.raise_for_status()
            have = have if reply.status_code == 206 else 0
            total = size or int(reply.headers.get("Content-Length", 0)) + have or None
            bar = tqdm(
                total=total, initial=have, unit="B", unit_scale=True, desc=self.part.name[1:-5], disable=None if self.progress else True
            )
            with self.part.open("ab" if have else "wb") as file, bar:
                for block in reply.iter_content(BLOCK):
                    have += len(block)
                    if have > limit:
                        break
                    file.write(block)
                    bar.update(len(block))
        if have > limit:
            self.part.unlink()
            raise DatasetError(f"{url}: found more than {limit} bytes, expected at most that")
        if size is not None and have < size:
            raise ConnectionError(f"the end after {have} bytes")


def download(pin: Pin, place: Path, timeout: float = 60, progress: bool = False) -> Path:
    """Download one file to `place`, unless it is there and as pinned; DatasetError names the URL, what was found and expected.

    A wrong hash leaves nothing behind; a broken line leaves the part that came. `timeout` is in seconds without a byte.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    if pin.url is None:
        raise DatasetError(f"{place}: found no address to download it from in the manifest, expected the file to be here")
    if pin.digest and fault(place, pin) is None:
        return place
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    known = pin.digest if pin.digest and not pin.digest.startswith("git:") else None
    part = place.with_name(f".{place.name}.part")
    stale = part.exists()
    while True:
        try:
            pooch.retrieve(pin.url, known, place.name, place.parent, downloader=Resuming(pin, part, timeout, progress))
            return place
        except DatasetError:
            raise
        except ValueError as error:
            if not stale:
                raise DatasetError(f"{pin.url}: {error}") from error
            stale = False  # a part left by another version of the file is no reason to give up: once more from the start
