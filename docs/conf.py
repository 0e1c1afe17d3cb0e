"""How Sphinx builds the site: ``sphinx-build -W docs docs/_build``, then open ``docs/_build/index.html``.

The built site loads nothing from elsewhere: formulas are MathML, fonts and scripts lie beside the pages. Notebooks and
gallery are executed while building; ``FASTMLP_DOCS_EXECUTE=0`` leaves that out and takes a tenth of the time.
"""

import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "fastmlp"
author = "the fastmlp authors"
project_copyright = "the fastmlp authors"
try:
    release = metadata.version("fastmlp")
except metadata.PackageNotFoundError:  # built from a source tree that is not installed
    release = "0+unknown"
version = release

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "mathml",
    "notebooks",
    "plain_names",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "gallery", "solutions", "**/README.md", "jupyter_execute"]
# sphinx-gallery's page of times would load scripts from elsewhere; its notebooks have a page each already.
exclude_patterns += ["sg_execution_times.rst", "auto_gallery/sg_execution_times.rst", "auto_gallery/*.ipynb"]
nitpicky = True
EXECUTE = os.environ.get("FASTMLP_DOCS_EXECUTE", "1") != "0"

# Markdown, and the chapters that are notebooks.
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "auto" if EXECUTE else "off"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
html_math_renderer = "mathml"

# The reference. Types stand in the docstrings, with shapes.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
default_role = "py:obj"

# The gallery.
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "gallery_order.TeachingOrder",
    "plot_gallery": EXECUTE,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "image_scrapers": ("matplotlib",),
    "reset_modules": ("matplotlib",),
    "min_reported_time": 30,
    "abort_on_example_error": True,
}

# Names of other projects link to their sites where these can be reached. A build without a network has no such links,
# and is no failure.
_OTHERS = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "matplotlib": "https://matplotlib.org/stable/",
    "pandas": "https://pandas.pydata.org/docs/",
    "sklearn": "https://scikit-learn.org/stable/",
}
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|matplotlib|pandas|sklearn|scipy|numba|torch|keras)(\..*)?"),
    ("py:class", r"(builtins\.)?(ValueError|TypeError|RuntimeError|OSError|Exception|tuple|dict|list|str|Generator)"),
]


def _can_be_reached(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "objects.inv", timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if os.environ.get("FASTMLP_DOCS_INTERSPHINX", "1") == "0":
    intersphinx_mapping = {}
else:
    with ThreadPoolExecutor() as pool:
        reached = pool.map(_can_be_reached, _OTHERS.values())
        intersphinx_mapping = {
            name: (address, None) for (name, address), yes in zip(_OTHERS.items(), reached, strict=True) if yes
        }

# How it looks.
html_theme = "pydata_sphinx_theme"
html_title = "fastmlp"
html_static_path = ["_static"]
html_css_files = ["fastmlp.css"]
html_favicon = "../fastmlp/web/static/icon.svg"
html_logo = "../fastmlp/web/static/icon.svg"
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "fastmlp"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "install": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
linkcheck_ignore = [r"http://127\.0\.0\.1.*"]
