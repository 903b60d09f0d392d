"""What is wrong with a data set."""


class DatasetError(ValueError):
    """A data set, or a file of one, that is absent or not as it must be; the message names it, what was found and what was expected."""
