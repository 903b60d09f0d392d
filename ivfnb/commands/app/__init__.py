"""`ivfnb app`: a page on which a pair is fused, by Streamlit, on this machine alone."""

import argparse
import importlib
import socket
from dataclasses import fields
from pathlib import Path

from ivfnb import paths
from ivfnb.commands.app.limits import MEGA, Limits

HERE = ("127.0.0.1", "localhost", "::1")  # hosts that no other machine reaches
_SAID = {
    "megabytes": "of one uploaded file; a zip of pairs may have five times as many",
    "megapixels": "of one image",
    "pairs": "in one zip",
    "windows": "classified batch by batch, for strides that are no multiple of 8",
    "jobs": "computations at once; all other users wait for their turn",
}


def configure_limits(parser: argparse.ArgumentParser) -> None:
    """Arguments of the limits, an argument a field."""
    for each in fields(Limits):
        kind = float if each.name == "megapixels" else int
        parser.add_argument(
            f"--{each.name}",
            type=kind,
            default=each.default,
            metavar="N",
            help=f"most {each.name} {_SAID[each.name]} (default: %(default)s)",
        )


def limits_of(arguments: argparse.Namespace) -> Limits:
    """Limits that the arguments say; ValueError where one is not above 0."""
    return Limits(**{each.name: getattr(arguments, each.name) for each in fields(Limits)})


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--host", default=HERE[0], help="address to listen at; 0.0.0.0 lets other machines in (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8501, help="port to listen at (default: %(default)s)")
    configure_limits(parser)


def flags(host: str, port: int, limits: Limits) -> list[str]:
    """Settings of Streamlit: no statistics, no look at the outside, no file watched, and on this machine only names of it let in.

    Parameters
    ----------
    host : str
    port : int
    limits : Limits

    Returns
    -------
    list of str
        Arguments of `streamlit run`.

    Examples
    --------
    >>> "--browser.gatherUsageStats=false" in flags("127.0.0.1", 8501, Limits())
    True
    """
    settings = {
        "server.address": host,
        "server.port": port,
        "server.headless": "true",  # opens no browser, and asks nothing on the terminal
        "server.fileWatcherType": "none",
        "server.maxUploadSize": -(-limits.zip_bytes // MEGA),
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",  # whose address of this machine Streamlit asks of a server outside
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.primaryColor": "#0072b2",
    }
    named = HERE if host in HERE else ()  # so that no page of elsewhere speaks to this one under a name of its own
    return [f"--{name}={value}" for name, value in (*settings.items(), *(("server.allowedHosts", name) for name in named))]


def _check_port(host: str, port: int) -> None:
    """ValueError where nothing can listen at the address."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise ValueError(f"--host {host} --port {port}: found that nothing can listen there ({error}), expected a free port") from error


def _keep_uploads_in_memory(limits: Limits) -> None:
    """What the server reads of a request's body stays in memory: by itself it writes files above 1 MB to the disk for a while."""
    importlib.import_module("starlette.formparsers").MultiPartParser.spool_max_size = limits.zip_bytes + MEGA


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until it is interrupted."""
    limits = limits_of(arguments)
    with paths.extra():
        from streamlit.web import cli
    _check_port(arguments.host, arguments.port)
    _keep_uploads_in_memory(limits)
    print(f"ivfnb app: http://{arguments.host}:{arguments.port} (Ctrl+C ends it)", flush=True)
    if arguments.host not in HERE:
        print("ivfnb app: other machines can reach this page; there is no password", flush=True)
    script = str(Path(__file__).with_name("page.py"))
    cli.main(["run", *flags(arguments.host, arguments.port, limits), script, "--", *limits.arguments()], standalone_mode=False)
    return 0
