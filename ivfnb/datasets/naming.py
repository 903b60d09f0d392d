"""How file names say which pair an image belongs to: usual marks of infrared and visible images, and patterns for other names."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import takewhile

from ivfnb.datasets.errors import DatasetError

WORDS = {
    "infrared": "infrared|ir|thermal|therm|lwir|mwir|swir|nir|tir|previewdata",  # PreviewData: the thermal images of FLIR's driving set
    "visible": "visible|visual|vis|vi|rgb|colou?r|optical|eo",
    "fused": "fused|fusion|enh_ssr",
}
LETTERS = {"infrared": "ti", "visible": "wv"}  # x_T and x_W of DJI's cameras, 1_i and 1_v; 00001i and 00001v of VOT-RGBT and RGBT234
BARE = {"infrared": "i", "visible": "v"}  # of these, what may follow a digit without a stroke between


def normal(name: str) -> str:
    """A name in Unicode's composed form (NFC): what looks alike is alike, whichever system wrote it.

    Examples
    --------
    >>> normal("Zu\\u0308rich") == "Zürich"
    True
    """
    return unicodedata.normalize("NFC", name)


def key(id: str) -> str:
    """What two spellings of one id have in common: Unicode's form, and leading zeros of numbers."""
    id = normal(id)
    return str(int(id)) if id.isdecimal() else id


def unmarked(stem: str, role: str) -> str:
    """A file's name without the usual mark of its role, wherever it stands; the name itself where there is none.

    Parameters
    ----------
    stem : str
        Name of a file without suffix.
    role : str
        "infrared", "visible" or "fused"; others have no marks.

    Returns
    -------
    str

    Examples
    --------
    >>> unmarked("DJI_0007_T", "infrared"), unmarked("TIR_12", "infrared"), unmarked("set1_vis_04", "visible"), unmarked("vista", "visible")
    ('DJI_0007', '12', 'set1_04', 'vista')
    """
    if role not in WORDS:
        return stem
    word = f"(?:{WORDS[role]})"
    marks = [rf"^(?:org_|enh_)?{word}(?:[_-]+|(?=\d))", rf"[_-]{word}$"]
    if role in LETTERS:
        marks += [rf"(?<=\d){word}$", rf"[_-][{LETTERS[role]}]$", rf"(?<=\d)[{BARE[role]}]$", rf"[_-]{word}(?=[_-])"]
    for mark in marks:
        found = re.sub(mark, "", stem, count=1, flags=re.IGNORECASE)
        if found and found != stem:
            return found
    return stem


class Pattern:
    """Names of files such as "{id}_T.jpg": what stands for {id} is the id; * and ? stand for any text and any character.

    Parameters
    ----------
    text : str
        With {id} once. Upper and lower case are alike; without a suffix of its own it fits files of every suffix.
    role : str
        Whose files it names, for the message.

    Raises
    ------
    DatasetError
        Without {id}, with two of them, or with a folder.

    Examples
    --------
    >>> Pattern("{id}_T.jpg", "infrared").id("DJI_0001_T.JPG"), Pattern("cam?_{id}", "visible").id("cam2_07.png")
    ('DJI_0001', '07')
    >>> Pattern("{id}_T.jpg", "infrared").id("DJI_0001_W.JPG") is None
    True
    """

    def __init__(self, text: str, role: str):
        if text.count("{id}") != 1 or "/" in text:
            raise DatasetError(f"pattern of {role} files: found {text!r}, expected a file name with {{id}} once, such as '{{id}}_T.jpg'")
        self.text = text
        parts = (re.escape(part).replace(r"\*", ".*").replace(r"\?", ".") for part in normal(text).split("{id}"))
        suffix = "" if os.path.splitext(text)[1] else r"\.[^.]*"
        self.matcher = re.compile("(.+)".join(parts) + suffix, flags=re.IGNORECASE)
        self.literal = len(re.sub(r"\{id\}|[*?]", "", text))

    def id(self, name: str) -> str | None:
        """Id that a file's name says; None where the name does not fit."""
        found = self.matcher.fullmatch(normal(name))
        return found[1] if found else None


def _start(first: str, second: str) -> str:
    """The text with which both begin."""
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def suggested(infrared: str, visible: str) -> tuple[str, str]:
    """Patterns that would make a pair of two file names, as an example for whoever has to say how their files are named.

    Examples
    --------
    >>> suggested("a1_hot.png", "a1_day.jpg")
    ('{id}_hot.png', '{id}_day.jpg')
    >>> suggested("x1.png", "y2.png")
    ('{id}_T.jpg', '{id}_W.jpg')
    """
    start = _start(infrared, visible)
    if (edge := re.match(r".*(?=[_.-])|.*\d", start)) and edge[0]:
        return "{id}" + infrared[len(edge[0]) :], "{id}" + visible[len(edge[0]) :]
    (left, left_suffix), (right, right_suffix) = os.path.splitext(infrared), os.path.splitext(visible)
    end = _start(left[::-1], right[::-1])[::-1]
    if (edge := re.search(r"(?<=[_.-]).+|\d+$", end)) and edge[0] not in (left, right):
        return left[: -len(edge[0])] + "{id}" + left_suffix, right[: -len(edge[0])] + "{id}" + right_suffix
    return "{id}_T.jpg", "{id}_W.jpg"


def of_method(names: Iterable[str], ids: Mapping[str, str]) -> dict[str, str]:
    """Ids of fused images that carry the name of their method, as `fight_U2Fusion` does; by name, where one name is common to them.

    Parameters
    ----------
    names : iterable of str
        Names of files without suffix.
    ids : mapping
        Ids of the pairs by their `key`.

    Returns
    -------
    dict
        Name -> id, of the names that are an id and the most frequent text beside it; empty where two texts are equally frequent.

    Examples
    --------
    >>> of_method(["man_CBF", "car_CBF", "car_old"], {"man": "man", "car": "car"})
    {'man_CBF': 'man', 'car_CBF': 'car'}
    """
    found: dict[str, dict[tuple[bool, str], str]] = {}
    for name in names:
        for cut in re.finditer("[_-]", normal(name)):
            before, after = name[: cut.start()], name[cut.end() :]
            for first, id, rest in ((True, before, after), (False, after, before)):
                if key(id) in ids and rest:
                    found.setdefault(name, {})[first, rest.casefold()] = ids[key(id)]
    texts = Counter(text for places in found.values() for text in places).most_common(2)
    if not texts or (len(texts) > 1 and texts[0][1] == texts[1][1]):
        return {}
    return {name: places[texts[0][0]] for name, places in found.items() if texts[0][0] in places}
