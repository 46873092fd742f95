"""Certificates between controller and switches: who issues them, who asks for them, when they end."""
