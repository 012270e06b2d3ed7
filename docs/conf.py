"""The documentation as a site: `make docs` writes it to build/site, and fails on a dead link, anchor or stray page.

The pages are the repository's own Markdown, so that they read and link alike there and here. What index.md links under
a heading is that part of the navigation.
"""

import re
from os.path import relpath
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
INDEX = "docs/index"

project = "lenet5-serve"
extensions = ["myst_parser"]
root_doc = INDEX
include_patterns = ["*.md", "client/README.md", "examples/README.md", "docs/**.md"]
exclude_patterns = [".*", "build", "runs"]
myst_heading_anchors = 4
highlight_language = "none"
suppress_warnings = ["misc.highlighting_failure"]  # JSON that is shortened with three dots is none

html_theme = "furo"  # system fonts; nothing comes from another origin
html_title = project
html_extra_path = ["site"]
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Let every page through `adapted`."""
    app.connect("source-read", adapted)


def adapted(_app: Sphinx, page: str, source: list[str]) -> None:
    """A page of the repository as one of the site."""
    source[0] = without_folders(source[0], (ROOT / page).parent)
    if page == INDEX:
        source[0] += navigation(source[0])


def without_folders(text: str, here: Path) -> str:
    """The text with links to folders of the repository, which are no pages, as their words alone."""
    return re.sub(r"\[([^]]+)]\(([^():#]+)\)", lambda link: link[1] if (here / link[2]).is_dir() else link[0], text)


def navigation(index: str) -> str:
    """The pages that the start page links, heading by heading, as MyST's toctrees."""
    toctrees = []
    for part in re.split(r"^#+ ", index, flags=re.MULTILINE)[1:]:
        linked = dict.fromkeys(re.findall(r"]\(([^():#]+)\.md\)", part))
        pages = "\n".join("/" + relpath(ROOT / "docs" / name, ROOT) for name in linked)
        toctrees.append(f"\n```{{toctree}}\n:hidden:\n:caption: {part.splitlines()[0]}\n\n{pages}\n```\n")
    return "".join(toctrees)
