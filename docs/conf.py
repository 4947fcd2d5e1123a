"""Sphinx's configuration: ``make docs`` builds these pages and the API reference into build/docs."""

from __future__ import annotations

import inspect
import re
import sys
from importlib import metadata
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).parent))

from public_names import names_for

import glassnet

project = "glassnet"
author = "The glassnet developers"
version = release = metadata.version("glassnet")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
root_doc = "index"
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": True, "secondary_sidebar_items": ["page-toc"]}
html_title = "glassnet"
html_sidebars = {"**": []}

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # ``console`` blocks hold what commands print

default_role = "py:obj"  # a name in single backquotes is a link, where it is a name of glassnet
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say the types
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False


class PublicNames(SphinxDirective):
    """``public-names``: a table of the names under a heading of `public_names.PURPOSES`, then each in full."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return what autosummary and autodoc make of the names."""
        names = [name for purpose in self.content for name in names_for(purpose)]
        lines = [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   glassnet.{name}" for name in names]
        for name in names:
            is_class = inspect.isclass(getattr(glassnet, name))
            lines += ["", f".. auto{'class' if is_class else 'function'}:: glassnet.{name}"]
            lines += ["   :members:", "   :exclude-members: __init__, __new__"] if is_class else []
        return self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))


def link_files_of_the_project(app: Sphinx, page: str, text: list[str]) -> None:
    """Turn links to Markdown files outside of docs/ into downloads: they are no pages of the built documents."""
    above = re.escape("../" * (page.count("/") + 1))
    text[0] = re.sub(rf"\[([^\]]+)\]\(({above}[^)#]+\.md)\)", r"{{download}}`\1 <\2>`", text[0])


def escape_bars(app: Sphinx, kind: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Let a docstring write abs(x) as |x|, which reStructuredText takes for a substitution."""
    in_example = False
    for number, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if not in_example:
            pieces = re.split(r"(``.*?``|`.*?`)", line)
            lines[number] = "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in pieces)


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the directive, and of what is done to texts before they are read."""
    app.add_directive("public-names", PublicNames)
    app.connect("source-read", link_files_of_the_project)
    app.connect("autodoc-process-docstring", escape_bars, priority=900)
