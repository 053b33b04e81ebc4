"""The command line: library in, exit code out.

Exit codes: 0 fine, 1 a problem, 2 wrong usage. Data goes to stdout, talk to stderr. Nothing heavy
is imported until a command needs it, so that `dora --help` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys

import click

from dora.cli.protecting import forget, privacy
from dora.cli.reading import explain, export, plot, query, show
from dora.cli.recording import record
from dora.cli.releasing import release
from dora.cli.reporting import report, scheduled
from dora.cli.setting_up import check, init, quickstart, status, sync
from dora.errors import DoraError, UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="dora-metrics", prog_name="dora")
def dora() -> None:
    """The five DORA metrics from your own delivery data, each explained down to its records."""


for command in (
    quickstart,
    init,
    check,
    sync,
    status,
    show,
    explain,
    export,
    plot,
    release,
    report,
    scheduled,
    record,
    query,
    privacy,
    forget,
):
    dora.add_command(command)


_OBJECTS = 100_000
"""How many more objects there are before garbage is looked for: imports alone make as many, none of
them garbage, and Python would look for some hundreds of times."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(_OBJECTS)
    code = run(sys.argv[1:])
    gc.freeze()  # looking once more for garbage would take a tenth of a second; all of it goes now
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; an error is said on stderr, with what to do."""
    stdout = sys.stdout
    try:
        code = dora.main(args=arguments, prog_name="dora", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped; what was finished is kept.", err=True)
        return 1
    except UsageError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    except DoraError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except (BrokenPipeError, SystemExit) as stop:
        if isinstance(stop, SystemExit) and sys.stdout is stdout:
            raise  # click wraps stdout when its reader is gone, and exits with 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0
