"""The model card, in the form of Hugging Face's: a YAML head for programs, then Markdown for people.

`head` makes the YAML, `recipe` puts a config into words, `sources` the data, `tables` the figures, `limits` what the
model is for and what it is not; `render` puts them together.
"""
