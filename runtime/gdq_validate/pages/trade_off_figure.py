"""The trade-off of a bundle as a figure of its own, for documents.

``python -m gdq_validate.pages.trade_off_figure BUNDLE FIGURE.svg``
"""

from __future__ import annotations

import sys
from pathlib import Path

from jinja2 import Environment, PackageLoader

from gdq_core.errors import BundleError
from gdq_core.files.text import write_text
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.pages.trade_off_plot import plot_trade_off


def render_figure(bundle: Bundle) -> str:
    """Render loss against FAB as SVG, with its legend.

    Raises:
        BundleError: the bundle has no trade-off.

    """
    trade_off = bundle.manifest.trade_off
    if trade_off is None:
        raise BundleError(f"{bundle.path} has no trade-off to draw: export the checkpoint again")
    pages = Environment(loader=PackageLoader("gdq_validate", "pages"), autoescape=True)
    return pages.get_template("trade_off_figure.svg").render(plot=plot_trade_off(trade_off))


if __name__ == "__main__":
    write_text(Path(sys.argv[2]), render_figure(Bundle.open(sys.argv[1])))
