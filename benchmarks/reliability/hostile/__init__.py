"""Pictures that were made to do harm: seeds in every format, mutated."""
