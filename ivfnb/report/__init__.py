"""DataFrames and images to what a paper prints: tables, statistics, montages and charts."""

from ivfnb.metrics.targets import inset_box
from ivfnb.report.charts import boxplot, correlation_chart, cost_chart, curves, difference_diagrams, gains, radar
from ivfnb.report.figures import COLOURS, colours, montage, save_figure, subjective
from ivfnb.report.statistics import (
    agreement_of_orders,
    average_ranks,
    average_ranks_over,
    bounds,
    cliques,
    complete,
    correlations,
    critical_difference,
    friedman,
    interval,
    intervals,
    main_effects,
    significance,
    step_effects,
    strongest_pairs,
)
from ivfnb.report.tables import in_order, means, rank_marks, show, table

__all__ = [
    "COLOURS",
    "agreement_of_orders",
    "average_ranks",
    "average_ranks_over",
    "bounds",
    "boxplot",
    "cliques",
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
    "radar",
    "rank_marks",
    "save_figure",
    "show",
    "significance",
    "step_effects",
    "strongest_pairs",
    "subjective",
    "table",
]
