"""The script that Streamlit runs anew for every click of every user; all it does is draw the page."""

import argparse

from ivfnb.commands.app import configure_limits, limits_of
from ivfnb.commands.app.view import page

if __name__ == "__main__":  # which is what Streamlit calls it
    parser = argparse.ArgumentParser()
    configure_limits(parser)
    page(limits_of(parser.parse_args()))
