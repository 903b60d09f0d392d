"""Formulas as drawings: LaTeX to SVG, so that a page shows them without a network, a script or a font of its own."""

from functools import cache
from html import escape

from ivfnb import paths

SIZE = 36.0  # units of the drawing in an em of the text beside it


@cache
def svg(formula: str, display: bool = False) -> str:
    r"""Drawing of a formula, for the middle of an HTML page.

    Parameters
    ----------
    formula : str
        LaTeX of the inside of `$...$` or `$$...$$`.
    display : bool
        Whether it stands alone on a line, with limits above and below its sums.

    Returns
    -------
    str
        An `svg` element in the colour of the text around it, its baseline on that of the text, its LaTeX as its label for readers of
        screens.

    Raises
    ------
    ModuleNotFoundError
        Without the extra `notebooks`, which brings ziamath.

    Examples
    --------
    >>> svg(r"\frac{1}{2}")[:36], 'aria-label="\\frac{1}{2}"' in svg(r"\frac{1}{2}")
    ('<svg class="formula" role="img" aria', True)
    """
    with paths.extra():
        import ziamath

    # A path for each letter: letters that refer to one another by name would vanish where the first formula of a page is folded away.
    ziamath.config.svg2 = False
    ziamath.config.precision = 1  # a 360th of an em
    drawn = ziamath.Latex(formula.strip(), size=SIZE, inline=not display).svg().replace('="black"', '="currentColor"')
    opening, _, rest = drawn.partition(">")
    left, top, width, height = map(float, opening.partition('viewBox="')[2].partition('"')[0].split())  # the baseline is at 0
    label = escape(formula.strip(), quote=True)
    return (
        f'<svg class="formula" role="img" aria-label="{label}" width="{width / SIZE:.3f}em" height="{height / SIZE:.3f}em" '
        f'viewBox="{left:g} {top:g} {width:g} {height:g}" style="vertical-align:{-(top + height) / SIZE:.3f}em">{rest}'
    )
