"""`python -m dora`: the command line, where the script `dora` may be another package's."""

from dora.cli import main

if __name__ == "__main__":
    main()
