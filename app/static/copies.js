// What was just sent, as something that can be pasted elsewhere.

import { $ } from "./dom.js";

const INLINE = 64 * 1024; // bytes: a larger picture is named, not written out

/** Of `sent`: {blob, path, name, unlocked}; `name` is that of a file of the user's, `unlocked` whether a key was sent. */
export async function asCurl({ blob, path, name, unlocked }) {
  const key = unlocked ? ' -H "Authorization: Bearer $LENET5_KEY"' : "";
  const url = quoted(urlOf(path));
  const send = `-H ${quoted(`Content-Type: ${typeOf(blob)}`)}${key} ${url}`;
  if (blob.size > INLINE) return `curl --data-binary @${quoted(name ?? "picture")} ${send}\n`;
  return `base64 -d <<'PICTURE' | curl --data-binary @- ${send}\n${wrapped(await base64(blob))}\nPICTURE\n`;
}

export async function asPython({ blob, path, name, unlocked }) {
  const large = blob.size > INLINE;
  const picture = large
    ? `pathlib.Path(${JSON.stringify(name ?? "picture")}).read_bytes()`
    : `base64.b64decode("""\n${wrapped(await base64(blob))}\n""")`;
  const imports = ["json", large ? "pathlib" : "base64", "urllib.request", ...(unlocked ? ["os"] : [])].sort();
  const key = unlocked ? `, "Authorization": "Bearer " + os.environ["LENET5_KEY"]` : "";
  return [
    ...imports.map((module) => `import ${module}`),
    "",
    `picture = ${picture}`,
    `headers = {"Content-Type": ${JSON.stringify(typeOf(blob))}${key}}`,
    `request = urllib.request.Request(${JSON.stringify(urlOf(path))}, picture, headers)`,
    "with urllib.request.urlopen(request) as answer:",
    "    print(json.load(answer))",
    "",
  ].join("\n");
}

const urlOf = (path) => new URL(path, document.baseURI).href;
const typeOf = (blob) => blob.type || "application/octet-stream";
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const wrapped = (text) => text.match(/.{1,100}/g).join("\n");

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Put `text` on the clipboard; where the browser keeps that from us, as without HTTPS, the user does it by hand. */
export async function copy(text, say) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    const dialog = $("by-hand");
    const area = dialog.querySelector("textarea");
    area.value = text;
    dialog.showModal();
    area.select();
  }
}
