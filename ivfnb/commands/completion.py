"""`ivfnb completion`: a script that completes commands, options and their choices in a shell."""

import argparse

from ivfnb.commands import options

EXAMPLES = """examples:
  ivfnb completion bash > ~/.local/share/bash-completion/completions/ivfnb
  ivfnb completion zsh > "${fpath[1]}/_ivfnb"
  ivfnb completion tcsh >> ~/.cshrc"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    options.explain(parser, EXAMPLES)
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="for which shell")


def run(arguments: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    from ivfnb.commands import parser_of

    whole = parser_of(None)
    _complete_paths(whole)
    print(shtab.complete(whole, shell=arguments.shell))
    return 0


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Mark what takes a path, so that the shell completes files there."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_paths(command)
        elif action.metavar in ("PATH", "FILE", "VIDEO"):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in ("FOLDER",):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
