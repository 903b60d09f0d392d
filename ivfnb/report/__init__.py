"""DataFrames and images to what a paper prints: tables, statistics, montages and charts.

Tables and statistics load no Matplotlib: whatever draws is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ivfnb.metrics.targets import inset_box
from ivfnb.report.agreement import agreement_of_orders, correlations, strongest_pairs
from ivfnb.report.ranks import (
    Significance,
    average_ranks,
    average_ranks_over,
    complete,
    critical_difference,
    friedman,
    nemenyi,
    significance,
)
from ivfnb.report.rendering import rank_marks, rendered
from ivfnb.report.tables import in_order, means, save_csv, show, table
from ivfnb.report.uncertainty import bounds, carried_by, interval, intervals, main_effects, step_effects

if TYPE_CHECKING:
    from ivfnb.report.answers import answers_panel
    from ivfnb.report.charts import boxplot, curves, gains, radar
    from ivfnb.report.comparisons import correlation_chart, cost_chart, difference_diagrams
    from ivfnb.report.figures import COLOURS, colours, save_figure
    from ivfnb.report.montages import montage, subjective

_DRAWN = {
    "answers": ("answers_panel",),
    "charts": ("boxplot", "curves", "gains", "radar"),
    "comparisons": ("correlation_chart", "cost_chart", "difference_diagrams"),
    "figures": ("COLOURS", "colours", "save_figure"),
    "montages": ("montage", "subjective"),
}

__all__ = [
    "COLOURS",
    "Significance",
    "agreement_of_orders",
    "answers_panel",
    "average_ranks",
    "average_ranks_over",
    "bounds",
    "boxplot",
    "carried_by",
    "colours",
    "complete",
    "correlation_chart",
    "correlations",
    "cost_chart",
    "critical_difference",
    "curves",
    "difference_diagrams",
    "friedman",
    "gains",
    "in_order",
    "inset_box",
    "interval",
    "intervals",
    "main_effects",
    "means",
    "montage",
    "nemenyi",
    "radar",
    "rank_marks",
    "rendered",
    "save_csv",
    "save_figure",
    "show",
    "significance",
    "step_effects",
    "strongest_pairs",
    "subjective",
    "table",
]


def __getattr__(name: str) -> Any:
    for module, names in _DRAWN.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
