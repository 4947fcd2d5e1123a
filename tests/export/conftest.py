"""Running exported modules: Python's in this process, JavaScript's in a browser."""

import pytest

from glassnet.export.javascript import write_javascript
from glassnet.export.portable import describe_model
from glassnet.export.python import write_python


@pytest.fixture
def load_python():
    """The names of the module that a model becomes."""

    def load(model):
        names = {}
        exec(compile(write_python(describe_model(model.network, model.schema)), "model.py", "exec"), names)
        return names

    return load


#: Imports a module's text and answers with the results of calls, or with what they throw.
CALL = """
async ([text, calls]) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  console.warn = (message) => said.push(message);
  const said = [];
  const module = await import(url);
  const plain = (one) => typeof one === "bigint" ? `${one}n` : Array.isArray(one) ? one.map(plain) : one;
  const results = calls.map(([name, ...given]) => {
    try { return plain(module[name](...given)); } catch (error) { return `${error.name}: ${error.message}`; }
  });
  return [results, said];
}
"""


@pytest.fixture(scope="module")
def call_javascript(browser):
    """Call functions of the module that a model becomes: their results, and what it says on the console."""
    page = browser.new_page()
    page.goto("about:blank")

    def call(model, calls, make_public=()):
        text = write_javascript(describe_model(model.network, model.schema))
        for name in make_public:
            text = text.replace(f"\nfunction {name}", f"\nexport function {name}")
        return page.evaluate(CALL, [text, calls])

    yield call
    page.close()
