"""`python -m overlace.lab`: the laboratory's commands by themselves."""

from overlace.lab.commands import lab_group

lab_group(prog_name="overlace lab")
