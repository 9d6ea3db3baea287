"""What Prometheus hears from a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Scrape:
    """`values` are by the name of the sample and its labels."""

    text: str
    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.values}

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels, and perhaps others."""
        return sum(value for (known, given), value in self.values.items() if known == name and labels.items() <= given)


def read(text: str) -> Scrape:
    families = list(text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(values) == len(samples), "a sample is there twice"
    return Scrape(text, values)


def scrape(url: str) -> Scrape:
    answer = httpx.get(f"{url}/metrics", trust_env=False, timeout=30)
    assert answer.status_code == httpx.codes.OK, answer.text
    return read(answer.text)
