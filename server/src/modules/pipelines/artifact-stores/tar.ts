/** A file that goes into an archive. */
export type TarFile = { path: string; size: number; bytes: AsyncIterable<Uint8Array> };

const BLOCK = 512;
/** What eleven octal digits hold; longer files say so in a record before them. */
const MAX_OCTAL = 8 ** 11;

/**
 * An archive in the format of POSIX (pax, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html), as a
 * stream: nothing is held but the block that is written. Throws where a file is not as long as it was said to be.
 */
export async function* tarOf(files: AsyncIterable<TarFile> | Iterable<TarFile>): AsyncGenerator<Uint8Array> {
  for await (const { path, size, bytes } of files) {
    const records = [`path=${path}`, ...(size < MAX_OCTAL ? [] : [`size=${size}`])];
    const extended = Buffer.concat(records.map(recordOf));
    yield headerOf({ path: "pax", size: extended.length, type: "x" });
    yield padded(extended);
    yield headerOf({ path, size: size < MAX_OCTAL ? size : 0, type: "0" });
    let written = 0;
    for await (const chunk of bytes) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new Error(`a file of ${size} bytes was ${written} bytes long`);
    if (size % BLOCK !== 0) yield Buffer.alloc(BLOCK - (size % BLOCK));
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** Begins with its own length, which counts itself. */
function recordOf(text: string): Buffer {
  const rest = Buffer.byteLength(text) + 2;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${text}\n`);
}

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);

function headerOf({ path, size, type }: { path: string; size: number; type: string }): Buffer {
  const header = Buffer.alloc(BLOCK);
  // Whoever knows no records gets the beginning of the name.
  header.write(path.replaceAll(/[^\u0020-\u007e]/g, "_").slice(0, 100), 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\u000000", 257);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
