/** Photographs as rows of grey values: those of the course, and one of the reader's own, which stays in the browser. */

const LONGEST_SIDE = 160; // pixels of a side
const MOST_PIXELS = 160 * 120;
const SHORTEST = 16;
const LARGEST_FILE = 40; // MB
const WEIGHTS = [0.299, 0.587, 0.114]; // of red, green and blue

/** Return the size that a photograph is brought to, of the same proportions: width and height. */
export function sizeFor(width, height) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height), Math.sqrt(MOST_PIXELS / (width * height)));
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

/** Turn colours into grey: rows of numbers from 0 to 1. @param {ImageData} pixels */
export function greyOf({ data, width, height }) {
  const grey = (at) => WEIGHTS.reduce((sum, weight, channel) => sum + weight * data[4 * at + channel], 0) / 255;
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => grey(row * width + column)));
}

/** Read an image file, and bring it to its size. @param {Blob} file @returns {Promise<number[][]>} */
export async function readImage(file) {
  const whole = await createImageBitmap(file);
  const [width, height] = sizeFor(whole.width, whole.height);
  if (Math.min(width, height) < SHORTEST) {
    throw new RangeError(`it has ${whole.width} by ${whole.height} pixels, too few or too narrow`);
  }
  const small = await createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.fillStyle = "#ffffff"; // below what is transparent
  pen.fillRect(0, 0, width, height);
  pen.drawImage(small, 0, 0);
  whole.close();
  small.close();
  return greyOf(pen.getImageData(0, 0, width, height));
}

/** Read a photograph of the course, an image file written as text. */
export function readStored({ jpeg }) {
  const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
  return readImage(new Blob([bytes], { type: "image/jpeg" }));
}

/** Read what a reader has chosen. What cannot be used is a RangeError, in a sentence. @param {File} file */
export async function readOwn(file) {
  const name = `“${file.name.slice(0, 24)}”`;
  if (file.type && !file.type.startsWith("image/")) throw new RangeError(`${name} is not an image. Choose a photograph.`);
  if (file.size > LARGEST_FILE * 2 ** 20) {
    throw new RangeError(`${name} has ${Math.round(file.size / 2 ** 20)} MB. Choose an image of at most ${LARGEST_FILE} MB.`);
  }
  try {
    return await readImage(file);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`${name} cannot be used: ${error.message}. Choose another image.`);
    throw new RangeError(`${name} cannot be read: it is damaged, or of a kind that this browser does not know. Try a JPEG.`);
  }
}
