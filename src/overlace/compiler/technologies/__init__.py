"""The technologies that carry a network between hosts, behind one interface."""
