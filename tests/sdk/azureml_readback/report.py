"""Collects what was compared. In: pairs of what a manifest wants and what Microsoft's client shows. Out: text."""

import contextlib

from azure.core.exceptions import AzureError


class Report:
    """All comparisons, by object."""

    def __init__(self):
        self.counts, self.differences, self.subject = {}, [], None

    @contextlib.contextmanager
    def about(self, item):
        """Everything inside is about one object; what Azure refuses to show is a difference."""
        meta = item["metadata"]
        self.subject = f"{item['kind']} {meta['namespace']}/{meta['name']}"
        self.counts[self.subject] = 0
        try:
            yield
        except AzureError as error:
            self.differences.append(f"{self.subject}: cannot be read: {error}")

    def same(self, what, wanted, shown):
        """Compare one fact."""
        self.counts[self.subject] += 1
        if wanted != shown:
            self.differences.append(
                f"{self.subject}: {what}: the manifest says {wanted!r}, Azure shows {shown!r}"
            )

    def given(self, what, wanted, shown):
        """Compare a fact that the manifest may leave open."""
        if wanted is not None:
            self.same(what, wanted, shown)

    def holds(self, what, wanted, shown):
        """Compare the entries of a mapping that are wanted; more may be there."""
        for key, value in (wanted or {}).items():
            self.same(f"{what}.{key}", value, (shown or {}).get(key))

    def is_same(self):
        """Whether something was compared and all of it was the same."""
        return not self.differences and sum(self.counts.values()) > 0

    def __str__(self):
        """One line for each object and for each difference."""
        lines = [f"{subject}: {count} facts read back" for subject, count in self.counts.items()]
        verdict = "all the same" if self.is_same() else f"{len(self.differences)} differences"
        return "\n".join(
            [
                *lines,
                *self.differences,
                f"{len(self.counts)} objects, {sum(self.counts.values())} facts: {verdict}",
            ]
        )
