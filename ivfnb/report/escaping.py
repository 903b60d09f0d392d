"""Text of others in tables: names of folders and methods may hold what Markdown, LaTeX or a spreadsheet would read as a command."""

import re

# Whatever Markdown, the HTML in it, or the formulas that notebooks find in it could take for markup, as entities: those never open markup.
# Formulas are looked for in the finished page, in one piece of text; an element around their sign keeps it apart from the rest.
_MARKDOWN = str.maketrans(
    {sign: f"&#{ord(sign)};" for sign in "`*[]~"}
    | {sign: f"<span>&#{ord(sign)};</span>" for sign in "$\\"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": r"\|"}
)
_LATEX = str.maketrans(
    {sign: f"\\{sign}" for sign in "_%&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textasciigrave{}"}
    | {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$"}
)
_LINE_ENDS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_PLAIN = re.compile(rf"{_NUMBER}(?: \({_NUMBER} to {_NUMBER}\))?")  # a number, with its interval or without
_FORMULA = re.compile(r"(^|[,;\t\r\n])(?=[=+\-@＝＋－＠\t\r\n])")


def one_line(text: str) -> str:
    """Text with each run of line ends as one space.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> one_line("ours\\r\\n| mean")
    'ours | mean'
    """
    return _LINE_ENDS.sub(" ", text)


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, in a table's cell or beside a table, and of which nothing becomes markup, HTML or a formula.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        One line; special signs as HTML entities, `|` with a backslash. `_` between letters or digits, which opens nothing, stays.

    References
    ----------
    CommonMark 0.31.2, sections 2.5 (entities cannot stand for symbols of structure) and 6.6 (raw HTML), spec.commonmark.org/0.31.2

    Examples
    --------
    >>> markdown("<b>a|b</b>")
    '&lt;b&gt;a\\\\|b&lt;/b&gt;'
    >>> markdown("as_paper"), markdown("_x_")
    ('as_paper', '&#95;x&#95;')
    """
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", "&#95;", one_line(text).translate(_MARKDOWN))


def latex(text: str) -> str:
    """Text that LaTeX prints as it is; arrows and ± become formulas.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        One line, in which no character is left that LaTeX reads as a command, a group, a formula or a comment.

    Examples
    --------
    >>> print(latex("50 % of {a_b}"), latex("EN ↑"))
    50 \\% of \\{a\\_b\\} EN $\\uparrow$
    """
    return one_line(text).translate(_LATEX)


def csv_cell(text: str) -> str:
    """Text of a CSV's cell that a spreadsheet does not calculate: an apostrophe stands before each sign that would open a formula.

    Parameters
    ----------
    text : str
        A cell that is text; numbers need no care.

    Returns
    -------
    str
        With an apostrophe before `= + - @`, their full-width forms, tabulators and line ends where they begin the cell, or what a program
        that separates cells by `;` or tabulators would take for one. Numbers written as text, also with their interval, stay.

    Notes
    -----
    The apostrophe is one of OWASP's three measures; the other two, quotes around cells with separators and doubled quotes, are those of
    every writer of CSV.

    References
    ----------
    OWASP, CSV Injection, owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> csv_cell("=1+1"), csv_cell("a-b"), csv_cell("-0.5 (-1 to 0.2)")
    ("'=1+1", 'a-b', '-0.5 (-1 to 0.2)')
    """
    return text if _PLAIN.fullmatch(text) else _FORMULA.sub(r"\1'", text)
