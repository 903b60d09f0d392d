"""Sphinx's settings. `scripts/make_site.py` copies the sources together, this file among them, and builds them."""

import re

from docutils import nodes

import ivfnb
from ivfnb.report import formulas

project = "ivfnb"
author = "the ivfnb authors"
copyright = author
version = release = ivfnb.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # pages show the outputs that the notebooks carry
nb_merge_streams = True
nb_render_markdown_format = "myst"  # "commonmark", the default, knows no tables

default_role = "code"  # docstrings write `names` in single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say shapes and units, which types do not
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = "ivfnb"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["sortable.js"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "drawn"
html_permalinks_icon = "#"
pygments_style = "friendly"


def visit_inline(translator, node: nodes.math) -> None:
    """A formula in a line of text."""
    translator.body.append(formulas.svg(node.astext()))
    raise nodes.SkipNode


def visit_block(translator, node: nodes.math_block) -> None:
    """A formula on a line of its own, which scrolls where the screen is narrower."""
    translator.body.append(f'<div class="formula-block">{formulas.svg(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


_CODE = re.compile(r"(``.*?``|`[^`]*`)")
_STAYS = re.compile(r"\s*(>>>|\.\.\.|\* |\*{1,2}\w+ ?(:|$))")  # examples, items of lists, parameters such as **changed


def escape(app, what, name, obj, options, lines: list[str]) -> None:
    """Products and absolute values of docstrings are no markup: h*w, |a - b|."""
    for place, line in enumerate(lines):
        if not _STAYS.match(line):
            parts = _CODE.split(line)
            lines[place] = "".join(part if i % 2 else re.sub(r"([*|])", r"\\\1", part) for i, part in enumerate(parts))


def setup(app) -> None:
    """Formulas are drawn while the site is made, so that its pages load no script and no font for them."""
    app.connect("autodoc-process-docstring", escape, priority=400)  # before napoleon, which writes markup
    app.add_html_math_renderer("drawn", (visit_inline, None), (visit_block, None))
