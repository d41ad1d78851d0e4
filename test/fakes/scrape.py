"""Reads what Prometheus would scrape."""

from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """Samples by name and labels."""

    def __init__(self, text: bytes) -> None:
        self.text = text.decode()
        self.families = {f.name: f for f in text_string_to_metric_families(self.text)}
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def value(self, name, **labels):
        """Return the value of the one series that has at least these labels."""
        found = [
            value
            for (series, pairs), value in self.samples.items()
            if series == name and labels.items() <= dict(pairs).items()
        ]
        assert len(found) == 1, f"{len(found)} series {name} with {labels}"
        return found[0]

    def values(self, prefix, **labels):
        """Return the values of all series that begin with `prefix`, by the rest of their name."""
        return {
            series.removeprefix(prefix): value
            for (series, pairs), value in self.samples.items()
            if series.startswith(prefix) and labels.items() <= dict(pairs).items()
        }
