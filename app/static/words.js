// Numbers and reasons as a person would say them.

const CERTAIN = 1e-4; // the calibration's data cannot show fewer errors than this

/** "about 1 in 400 like this is wrong": a confidence is the share of answers like this that are right. */
export function odds(confidence) {
  const wrong = 1 - confidence;
  if (wrong <= CERTAIN) return "fewer than 1 in 10,000 like this is wrong";
  if (wrong > 0.95) return "nearly all like this are wrong";
  if (wrong > 0.28) return `about ${Math.round(wrong * 10)} in 10 like this are wrong`;
  const oneIn = Number((1 / wrong).toPrecision(wrong > 0.1 ? 1 : 2));
  return `about 1 in ${oneIn.toLocaleString("en")} like this is wrong`;
}

/** A share as percent, with as many digits as tell it from 0 and 100. */
export function percent(share) {
  if (share < 0.0001) return "under 0.01\u00a0%";
  const nearest = Math.min(share, 1 - share);
  return shortened(share, nearest >= 0.05 ? 0 : nearest >= 0.005 ? 1 : 2);
}

/** A share as percent with so many digits; cut, not rounded, so that only what is certain is 100 %. */
export function shortened(share, digits) {
  return `${(Math.floor(share * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)}\u00a0%`;
}

export function milliseconds(number) {
  return `${number < 10 ? number.toFixed(1) : Math.round(number)}\u00a0ms`;
}

const REASONS = {
  blank: "the picture is blank",
  too_small: "what is there is too small",
  low_contrast: "the ink hardly differs from the paper",
  not_a_digit: "it does not look like a digit",
  low_confidence: "it is not sure enough",
  no_digits: "there are no digits",
  length_mismatch: "it has another number of digits than it should",
  format_invalid: "most of what it may be is nothing that this field holds",
  ambiguous_cut: "it is too much to be cut in every way",
};

/** Whether a prediction is accepted, and why not, as a sentence. */
export function verdict({ accepted, reasons }) {
  if (accepted) return "Accepted";
  return `Not accepted: ${reasons.map((reason) => REASONS[reason] ?? reason).join(", and ")}`;
}
