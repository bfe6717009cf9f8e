"""``python -m freqtrade_fundhedge.sandbox``."""

import typer

from freqtrade_fundhedge.sandbox.command import sandbox_command

if __name__ == "__main__":
    typer.run(sandbox_command)
