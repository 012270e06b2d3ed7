"""The stranger's walk: from a clone to the first answers and out again, as the README says it."""
