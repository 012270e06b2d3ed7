// The fields that are samples, made by benchmarks/page_fields.py: what each is, and what is said of it to the reader.

const zip = { kind: "postal_code", country: "US" };
const amount = { kind: "amount" };

export const FIELDS = [
  { file: "zip-touching.png", about: "A ZIP code whose digits touch", options: zip },
  { file: "zip-clear.png", about: "A ZIP code, clearly written", options: zip },
  { file: "zip-envelope.png", about: "The ZIP code of an envelope", options: zip },
  { file: "zip-ruled.png", about: "A ZIP code on a slant, in a box", options: zip },
  { file: "zip-faded.png", about: "A faded ZIP code, with an odd 1", options: zip },
  { file: "zip-four.png", about: "A ZIP code with four more digits", options: zip },
  { file: "amount-comma.png", about: "An amount with a comma for the thousands", options: amount },
  { file: "amount-security.png", about: "An amount on security paper", options: amount },
  { file: "amount-cheque.png", about: "The amount of a cheque", options: amount },
  { file: "amount-hundredths.png", about: "An amount in hundredths, whose slash is taken for a 1", options: amount },
  { file: "bank.png", about: "A bank's number, of which the check digit must be right", options: { kind: "digits", check: "aba" } },
  { file: "chalk.png", about: "A long number in chalk, whose first 9 is taken for a 4 or not", options: { kind: "digits" } },
  { file: "signature.png", about: "A signature: no field", options: amount },
];
