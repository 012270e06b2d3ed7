// What each layer is, and why: a sentence for everybody.

/** Of the layers of an explanation, by name: {title, what}. */
export function legendOf({ layers, network }) {
  const paper = network.OUTPUT.form === "rbf";
  const kernels = "a kernel of 5 × 5 weights";
  const shape = Object.fromEntries(layers.map((layer) => [layer.name, layer.shape]));
  const pool = network.S2.pool === "max" ? "the largest" : "the mean";
  const s4 = shape.S4[1];
  return {
    INPUT: {
      title: "Input",
      what: "The centred digit, 32 × 32. It is larger than the digit so that its ends and corners can lie in the middle of what the units look at.",
    },
    C1: {
      title: "C1, convolution",
      what: `Six maps. Each slides ${kernels} over the input and shows where it finds its one feature: an edge, a bar, an end. The same weights everywhere, so a stroke is found wherever it lies.`,
    },
    S2: {
      title: "S2, subsampling",
      what: `Each unit takes ${pool} of 2 × 2 units of C1. That a feature is there matters, and roughly where; a pixel to the left or right no longer does.`,
    },
    C3: {
      title: "C3, convolution",
      what: paper
        ? "Sixteen maps combine features into larger parts: corners, crossings, arcs. Each sees only 3, 4 or all 6 maps of S2 (the paper’s Table I), so that they must learn different things."
        : "Sixteen maps combine the features of all six maps of S2 into larger parts: corners, crossings, arcs.",
    },
    S4: { title: "S4, subsampling", what: `Halved again, to ${s4} × ${s4}: which parts there are, and only roughly where.` },
    C5: {
      title: "C5, convolution",
      what: `120 units. Their kernels cover all of S4, so from here on place is gone: each unit speaks of the digit as a whole.`,
    },
    F6: {
      title: "F6, fully connected",
      what: paper
        ? "84 units, shown as 7 × 12: the network has learnt to draw a stylised picture of the digit with them."
        : "84 units: the last summary of the digit, from which the outputs are read off. Shown as 7 × 12, as in the paper, though here they need not make a picture.",
    },
    OUTPUT: {
      title: "Output",
      what: paper
        ? "One unit a digit measures how far F6 is from that digit’s own picture. The nearest wins."
        : `One weighted sum of F6 a digit${shape.OUTPUT[0] > 10 ? ", and one for “no digit”" : ""}. The largest wins; how far it is ahead makes the confidence.`,
    },
  };
}

/** A shape in words, as 6 × 28 × 28. */
export const sizeOf = ({ shape }) => (shape.length === 1 ? `${shape[0]} units` : shape[0] === 1 ? `${shape[1]} × ${shape[2]}` : `${shape[0]} maps of ${shape[1]} × ${shape[2]}`);

/** What output `i` stands for. */
export const meaningOf = (i) => (i < 10 ? String(i) : "no digit");
