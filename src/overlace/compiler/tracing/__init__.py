"""What becomes of a packet, and why: questions, packets, and the words for what the interpreter found.

Nothing here reads a switch: who asks hands over the tables, installed or planned.
"""
