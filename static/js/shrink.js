// Makes photos small enough for a slow way, on the device and upright; small ones keep their place and time inside.

export const LARGE_BYTES = 1.5 * 1024 * 1024;
const MOST_UNSHRUNK_BYTES = 20 * 1024 * 1024;
const LONGEST_SIDE = 2560;
const HEIF = ["heic", "heix", "hevc", "mif1", "msf1", "heim", "heis"];

/** Why a file is not taken: `photo_unreadable` (no photo, or not for this device) or `photo_too_heavy`. */
export class PhotoRefused extends Error {}

/** Return the width and height that fit into a square of `longest`, never larger than they were. */
export function fitted(width, height, longest = LONGEST_SIDE) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Tell by its first bytes whether a file is HEIC, which few browsers draw and the server reads. */
export function isHeif(bytes) {
  const text = String.fromCharCode(...bytes.slice(4, 12));
  return text.slice(0, 4) === "ftyp" && HEIF.includes(text.slice(4));
}

/** Return the file itself, or a smaller JPEG of it, upright. Raises `PhotoRefused`. */
export async function shrink(file) {
  const image = await draw(file);
  if (!image) {
    const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
    if (!isHeif(head)) throw new PhotoRefused("photo_unreadable");
    if (file.size > MOST_UNSHRUNK_BYTES) throw new PhotoRefused("photo_too_heavy");
    return file;
  }
  if (file.size <= LARGE_BYTES) return file;
  const blob = await encode(image);
  if (blob && blob.size < file.size) {
    return new File([blob], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" });
  }
  if (file.size > MOST_UNSHRUNK_BYTES) throw new PhotoRefused("photo_too_heavy");
  return file;
}

/** An image element turns photos upright by itself; null where the browser cannot read the file. */
async function draw(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    return image.naturalWidth ? image : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

async function encode(image) {
  const size = fitted(image.naturalWidth, image.naturalHeight);
  const canvas = Object.assign(document.createElement("canvas"), size);
  try {
    canvas.getContext("2d").drawImage(image, 0, 0, size.width, size.height);
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  } catch {
    return null;
  }
}
