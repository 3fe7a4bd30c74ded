"""How Sphinx makes the site; called by `python -m tlcourse site`, which writes the pages that it reads."""

from tlcourse.workshop.site import branch, repository

project = "Transfer learning, measured"
html_title = project
author = "the tlcourse authors"
extensions = ["myst_nb", "tlcourse.workshop.site_sphinx"]
exclude_patterns = ["README.md", "_extra"]

nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_ipywidgets_js = {}  # no widget is left that would need a manager
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_extra_path = ["EXTRA"]
html_copy_source = False
html_show_copyright = False
mathjax_path = "mathjax/tex-svg.js"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "use_download_button": False,
    "show_toc_level": 2,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search field stands in the sidebar
}
if repository():
    html_theme_options |= {
        "repository_url": repository(),
        "repository_branch": branch(),
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }
