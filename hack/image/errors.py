"""What stops an image from being made."""


class ImageError(RuntimeError):
    """Something needed is missing or failed; the message says what, and what to do."""
