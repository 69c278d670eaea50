// Makes photos that are too large for the way smaller on the device; the others keep their place and time inside.

const LARGE_BYTES = 10 * 1024 * 1024;
const LONGEST_SIDE = 2560;

/** Return the width and height that fit into a square of `longest`, never larger than they were. */
export function fitted(width, height, longest = LONGEST_SIDE) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Return the file itself, or a smaller JPEG of it, upright; a file that cannot be read goes as it is. */
export async function shrink(file) {
  if (file.size <= LARGE_BYTES || !("createImageBitmap" in window)) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const size = fitted(picture.width, picture.height);
    const canvas = Object.assign(document.createElement("canvas"), size);
    canvas.getContext("2d").drawImage(picture, 0, 0, size.width, size.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}
