"""Entry point: turns errors into messages and exit codes."""

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; the only place that ends the process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names that are not valid text must not stop a run
            stream.reconfigure(errors="backslashreplace")
    from .cli import app
    from .errors import ExitCode, ImgcleanError

    try:
        app(prog_name="imgclean")
    except ImgcleanError as error:
        print(f"imgclean: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("imgclean: interrupted", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.SOME_FAILED)


if __name__ == "__main__":
    main()
