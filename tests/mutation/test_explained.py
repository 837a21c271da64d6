# SPDX-License-Identifier: Apache-2.0
"""Which survivors of a mutation are let pass."""

from __future__ import annotations

import pytest

from mutation.explained import Explained
from mutation.mutant import Mutant
from mutation.subject import PACKAGE, ROOT, SUBJECTS

DOCUMENT = """
### `jobs/a.py`

```diff
-    one = 1
+    one = 2
+    one = 3
-    gone()
-    first(
-        second)
+    first()
```

### `jobs/b.py`
"""


@pytest.fixture
def explained(tmp_path):
    (tmp_path / "mutation.md").write_text(DOCUMENT)
    return Explained(tmp_path / "mutation.md")


def mutant(*diff, file="jobs/a.py"):
    return Mutant.of(file, ["--- a/x", "+++ b/x", "@@ -1 +1 @@", " context", *diff], killed=False)


def test_what_is_explained(explained):
    assert explained.holds(mutant("-  one = 1", "+  one = 2"))
    assert explained.holds(mutant("-  one = 1", "+  one = 3"))
    assert not explained.holds(mutant("-  one = 1", "+  one = 4"))
    assert not explained.holds(mutant("-  one = 1", "+  one = 2", file="jobs/b.py"))
    assert not explained.holds(mutant("-  one = 1"))


def test_what_is_explained_of_several_lines(explained):
    assert not explained.holds(mutant("-  gone()"))
    assert explained.holds(mutant("-  gone()", "-  first(", "-    second)", "+  first()"))


def test_what_is_explained_and_does_not_survive(explained):
    assert len(explained.unmet("jobs/a.py")) == 3
    explained.holds(mutant("-  one = 1", "+  one = 2"))
    assert len(explained.unmet("jobs/a.py")) == 2
    assert explained.unmet("jobs/b.py") == []


@pytest.mark.parametrize(
    ("before", "after", "is_wording"),
    [
        ('"Look in the dashboard."', '"XXLook in the dashboard.XX"', True),
        ('"Look in the dashboard."', '"LOOK IN THE DASHBOARD."', True),
        ('"Look in the dashboard."', "None", False),
        ('"POST /campaigns"', '"XXPOST /campaignsXX"', False),
        ('"fail"', '"FAIL"', False),
        ('kind, "Look in the dashboard."', 'None, "Look in the dashboard."', False),
        ("a = 1", "a = 2", False),
    ],
)
def test_wording(before, after, is_wording):
    assert mutant(f"-  {before}", f"+  {after}").is_wording is is_wording


def test_the_document_explains_lines_that_are_there():
    sources = {one.path: (ROOT / PACKAGE / one.path).read_text("utf-8") for one in SUBJECTS}
    explained = Explained(ROOT / "docs" / "mutation.md")
    for path, source in sources.items():
        lines = {line.strip() for line in source.splitlines()}
        for change in explained.unmet(path):
            removed = [line.strip()[2:] for line in change.splitlines() if line.strip().startswith("- ")]
            assert removed
            assert set(removed) <= lines
