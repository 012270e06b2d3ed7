// The samples, made by benchmarks/page_samples.py: what each is, for everybody who points at it or cannot see it.

export const SAMPLES = [
  { file: "clear-3.png", about: "A 3 as MNIST has it, dark on light" },
  { file: "chalk-5.png", about: "A 5, light on dark" },
  { file: "photo-4.png", about: "A photo of a blue 4 in warm light" },
  { file: "lined-2.png", about: "A 2 on ruled paper, half in shadow" },
  { file: "pencil-6.png", about: "A pale 6 in pencil" },
  { file: "hairline-8.png", about: "An 8 of a hairline" },
  { file: "corner-9.png", about: "A 9 in a corner of the sheet" },
  { file: "barred-7.png", about: "A 7 with a bar, as in Europe" },
  { file: "specks-0.png", about: "A 0 among specks of dust" },
  { file: "open-4.png", about: "A 4 that is easily taken for a 9" },
  { file: "eight-or-six.png", about: "A 6 that is read as an 8, and with confidence" },
  { file: "cut-3.png", about: "A 3 with a piece of its neighbour" },
  { file: "scribble.png", about: "A scribble: no digit" },
  { file: "cat.png", about: "A cat: no digit" },
];
