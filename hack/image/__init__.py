"""The operator's image without a container engine: a root file system from packages, and an OCI archive of it.

`rootfs` gathers the files, `archive` packs them, `sbom` lists what is inside; `python3 -m hack.image` and the
Dockerfile use the same code, so that both make the same image. Standard library only: it also runs where
there is nothing but Debian's python3.
"""
