// Which part of each earlier layer a unit depends on: its receptive fields.

/**
 * The receptive fields of the unit `at`, {map, row, column}, of `layers[index]`, by the index of the layer:
 * {maps, rows: [first, last], columns: [first, last]}, where `maps` is null for all of them. Of a full layer's unit
 * everything before is lit. The unit itself is the field of its own layer.
 */
export function fieldsOf(layers, index, at) {
  let field = { maps: [at.map], rows: [at.row, at.row], columns: [at.column, at.column] };
  const fields = new Map([[index, field]]);
  for (let i = index; i > 0; i--) {
    field = before(layers[i], layers[i - 1], field);
    fields.set(i - 1, field);
  }
  return fields;
}

function before(layer, source, field) {
  const [maps, height, width] = source.shape;
  if (layer.kind === "full" || height === undefined) return { maps: null, rows: [0, (height ?? 1) - 1], columns: [0, (width ?? 1) - 1] };
  const { kernel, stride } = layer;
  const reach = ([first, last]) => [first * stride, last * stride + kernel - 1];
  return { maps: sources(layer, field.maps, maps), rows: reach(field.rows), columns: reach(field.columns) };
}

/** The maps of the layer before that these maps are connected to; null for all. */
function sources(layer, maps, of) {
  if (layer.kind === "subsampling") return maps;
  if (maps === null || !layer.connections) return null;
  const all = new Set(maps.flatMap((map) => layer.connections[map]));
  return all.size === of ? null : [...all];
}

/** The value of a unit. */
export function valueOf(layer, { map, row, column }) {
  const values = layer.values[map];
  return typeof values === "number" ? values : values[row][column];
}

/** The values of a map in a square window, as rows. */
export function windowOf(map, row, column, side) {
  return map.slice(row, row + side).map((values) => values.slice(column, column + side));
}

/** What the network's activation makes of a sum. */
export function squash({ function: name, amplitude, slope }, sum) {
  if (name === "relu") return Math.max(0, sum);
  if (name === "sigmoid") return 1 / (1 + Math.exp(-sum));
  return amplitude * Math.tanh(slope * sum);
}
