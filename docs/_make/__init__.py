"""How the site's sources are put together from docs/, the notebooks, the registries and the results of the full run."""
