"""The command line. `main` has the parser, each other module one command.

argparse only, so that the image needs nothing for it and starts fast.
"""
