export type AzureListing = {
  blobs: { name: string; size: number; isFolder: boolean }[];
  /** Empty where nothing comes after it. */
  nextMarker: string;
};

/** The answer of List Blobs; undefined for what is none. Takes time by its length, whatever it is. Pure. */
export function readListing(xml: string): AzureListing | undefined {
  if (!xml.includes("<EnumerationResults") || !xml.trimEnd().endsWith("</EnumerationResults>"))
    return undefined;
  const [, ...parts] = xml.split("<Blob>");
  const blobs = parts.map((part) => blobOf(part.slice(0, part.indexOf("</Blob>"))));
  if (!blobs.every((blob) => blob !== undefined)) return undefined;
  return { blobs, nextMarker: textIn(xml.slice(xml.lastIndexOf("<NextMarker")), "NextMarker") ?? "" };
}

function blobOf(xml: string): AzureListing["blobs"][number] | undefined {
  const name = nameOf(xml);
  const size = Number(textIn(xml, "Content-Length") ?? 0);
  if (name === undefined || !Number.isSafeInteger(size) || size < 0) return undefined;
  // With folders of their own (Data Lake), and as programs mark them where there are none.
  const isFolder = /<ResourceType>directory<\/|<(?:hdi_isfolder|is_directory)>true<\//i.test(xml);
  return { name, size, isFolder };
}

/** What XML cannot say is percent-encoded, and marked. */
function nameOf(xml: string): string | undefined {
  const [, encoded, name = ""] = /<Name( Encoded="true")?>([^<]*)<\/Name>/.exec(xml) ?? [];
  if (encoded === undefined) return plain(name);
  try {
    return decodeURIComponent(plain(name));
  } catch {
    return undefined;
  }
}

function textIn(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found === undefined ? undefined : plain(found);
}

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const plain = (text: string): string =>
  text.replaceAll(/&(#x[0-9a-f]{1,6}|#\d{1,7}|amp|lt|gt|quot|apos);/gi, (whole, given: string) => {
    if (!given.startsWith("#")) return named[given.toLowerCase()] ?? whole;
    const code = Number(given.slice(1).replace(/^x/i, "0x"));
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
