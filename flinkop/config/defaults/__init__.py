"""Files that ship with the package: the configuration in force when no directory is configured."""
