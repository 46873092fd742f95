"""What all commands have in common: how they print, and the options that choose how."""
