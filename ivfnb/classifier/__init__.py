"""Notebook 2: the classifier that says which half of a stacked window is the sharper one; its samples, training, trial and dense scores."""
