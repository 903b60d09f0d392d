"""DataFrames and images to what a paper prints: tables, statistics, montages and charts.

Tables and statistics load no Matplotlib: whatever draws is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ivfnb.metrics.targets import inset_box
from ivfnb.report.agreement import agreement_of_orders, correlations, strongest_pairs
from ivfnb.report.origins import load
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
from ivfnb.report.summaries import cost_table, gains_over, listed, relative_changes, write_significance
from ivfnb.report.tables import in_order, means, save_csv, show, table
from ivfnb.report.uncertainty import bounds, carried_by, interval, intervals, main_effects, step_effects

if TYPE_CHECKING:
    from ivfnb.report.answers import answers_chart, answers_panel, branches_chart, calibration_chart, transfer_chart
    from ivfnb.report.charts import boxplot, curves, gains, radar
    from ivfnb.report.comparisons import correlation_chart, cost_chart, difference_diagrams
    from ivfnb.report.enhancement import (
        STAGES,
        contrast_montage,
        curve_chart,
        differences_to_authors,
        histogram_chart,
        spread_by_stage,
        stages,
    )
    from ivfnb.report.figures import COLOURS, colours, save_figure
    from ivfnb.report.levels import busiest_window, grey_levels, levels_chart
    from ivfnb.report.montages import montage, subjective
    from ivfnb.report.pages import show_figure, shown_table, text_table, whole_tables
    from ivfnb.report.training import hardest_montage, sample_counts, texture_chart, training_chart, wrong_answers

_DRAWN = {
    "answers": ("answers_chart", "answers_panel", "branches_chart", "calibration_chart", "transfer_chart"),
    "charts": ("boxplot", "curves", "gains", "radar"),
    "comparisons": ("correlation_chart", "cost_chart", "difference_diagrams"),
    "enhancement": ("STAGES", "contrast_montage", "curve_chart", "differences_to_authors", "histogram_chart", "spread_by_stage", "stages"),
    "figures": ("COLOURS", "colours", "save_figure"),
    "levels": ("busiest_window", "grey_levels", "levels_chart"),
    "montages": ("montage", "subjective"),
    "pages": ("show_figure", "shown_table", "text_table", "whole_tables"),
    "training": ("hardest_montage", "sample_counts", "texture_chart", "training_chart", "wrong_answers"),
}

__all__ = [
    "COLOURS",
    "STAGES",
    "Significance",
    "agreement_of_orders",
    "answers_chart",
    "answers_panel",
    "average_ranks",
    "average_ranks_over",
    "bounds",
    "boxplot",
    "branches_chart",
    "busiest_window",
    "calibration_chart",
    "carried_by",
    "colours",
    "complete",
    "contrast_montage",
    "correlation_chart",
    "correlations",
    "cost_chart",
    "cost_table",
    "critical_difference",
    "curve_chart",
    "curves",
    "difference_diagrams",
    "differences_to_authors",
    "friedman",
    "gains",
    "gains_over",
    "grey_levels",
    "hardest_montage",
    "histogram_chart",
    "in_order",
    "inset_box",
    "interval",
    "intervals",
    "levels_chart",
    "listed",
    "load",
    "main_effects",
    "means",
    "montage",
    "nemenyi",
    "radar",
    "rank_marks",
    "relative_changes",
    "rendered",
    "sample_counts",
    "save_csv",
    "save_figure",
    "show",
    "show_figure",
    "shown_table",
    "significance",
    "spread_by_stage",
    "stages",
    "step_effects",
    "strongest_pairs",
    "subjective",
    "table",
    "text_table",
    "texture_chart",
    "training_chart",
    "transfer_chart",
    "whole_tables",
    "write_significance",
    "wrong_answers",
]


def __getattr__(name: str) -> Any:
    for module, names in _DRAWN.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
