"""`make crash`: see README.md beside this."""

if __name__ == "__main__":
    # Inside, because each operator's process imports this file as well and needs nothing of it.
    import sys

    from crash.command import main

    sys.exit(main())
