"""Pages that are one file: all that they show is escaped, and nothing runs in them but their own script.

Every text of a template goes through `escape` of the terminal, too: so a name looks the same on a page. The
Content Security Policy of a page names the hashes of its own script and style. A browser then takes no other, nor
an attribute such as ``onload=`` or ``style=``: what depends on a number is a class, which a `Sheet` keeps.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from glassnet.locales.glossary import Term, find_terms, glossary
from glassnet.runtime.terminal import escape

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


class Sheet:
    """The rules of a page's style that were asked for while it was written.

    >>> sheet = Sheet()
    >>> sheet("top: 10%"), sheet("left: 5%"), sheet("top: 10%")
    ('r0', 'r1', 'r0')
    >>> print(sheet.__html__())
    .r0 { top: 10% }
    .r1 { left: 5% }
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def __call__(self, rule: str) -> str:
        """Return the class that has this rule."""
        return self.names.setdefault(rule, f"r{len(self.names)}")

    def __html__(self) -> str:
        """Return all of them; a template takes this as safe, so a rule is made of numbers alone."""
        return "\n".join(f".{name} {{ {rule} }}" for rule, name in self.names.items())


class Glossary:
    """The terms that a page uses: it marks them in the page's texts, and explains them at its end.

    >>> terms = Glossary("en")
    >>> print(terms("The AUC is <b>"), terms.sentence("AUC"))
    The <a class="term" href="#term-auc">AUC</a> is &lt;b&gt; AUC
    >>> [term.key for term in terms.used]
    ['auc']
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._found: set[str] = set()

    @property
    def used(self) -> list[Term]:
        """The terms that were marked, in the order of the catalogue."""
        return [term for key, term in glossary(self.language).items() if key in self._found]

    def __call__(self, text: str, known: frozenset[str] = frozenset()) -> Markup:
        """Return a label with its terms as links to what they mean; all else is escaped, but what is markup."""
        from markupsafe import Markup

        parts, seen, marked = [], set(known), isinstance(text, Markup)
        for one in re.split("(<math.*?</math>|<[^>]*>)", text) if marked else [text]:
            cut = [(one, None)] if marked and one.startswith("<") else find_terms(one, self.language)
            for piece, term in cut:
                shown = Markup(piece) if marked else Markup.escape(escape(piece))
                if term is not None and term.key not in seen:
                    seen.add(term.key)
                    shown = Markup('<a class="term" href="#term-{}">{}</a>').format(term.key, shown)
                parts.append(shown)
        self._found |= seen
        return Markup("").join(parts)

    def sentence(self, text: str) -> Markup:
        """Return a sentence with those of its terms as links that no text before it has."""
        return self(text, frozenset(self._found))


def policy(scripts: Sequence[str], style: str, *, fonts: bool = False) -> str:
    """Return the Content Security Policy of a page with these scripts and this style, and what it holds itself.

    That is pictures, and fonts where it has any.
    """
    run = " ".join(map(_source, scripts))
    own = "img-src data:; font-src data:" if fonts else "img-src data:"
    return (
        f"default-src 'none'; script-src {run}; style-src {_source(style)}; {own}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    """Return how a policy names a text that stands between two tags."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page_environment(package: str, write: Callable[[str], str] | None = None) -> Environment:
    """Return what reads the templates of a package, in its folder ``templates``, and those of all pages, in ours.

    Every text in them is escaped for HTML; or written by `write`, which then has to do all that the page's format
    needs. What is marked as safe is not, nor what a macro returns.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    def finish(value: Any) -> Any:
        if not isinstance(value, str) or isinstance(value, Markup):
            return value
        return escape(value) if write is None else Markup(write(value))

    folders = [resources.files(name) / "templates" for name in (package, "glassnet.runtime")]
    environment = Environment(
        loader=FunctionLoader(
            lambda file: next(
                (folder / file).read_text(encoding="utf-8") for folder in folders if (folder / file).is_file()
            )
        ),
        autoescape=True,
        finalize=finish,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["policy"] = policy
    environment.filters["shown"] = escape
    environment.policies["json.dumps_function"] = lambda value, **options: json.dumps(_escaped(value), **options)
    return environment


def _escaped(value: Any) -> Any:
    """Return plain values with every text in them escaped."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {name: _escaped(one) for name, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list | tuple) else value
