"""`python -m overlace.cli`: the same as `overlace`."""

from overlace.cli.main import main

main(prog_name="overlace")
