/** Makes text of the bytes that percent-encoding stands for. */
export type Decode = (bytes: Buffer) => string;

// A byte order mark is a character of the text like any other: what is searched must be exactly what was stored.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws {TypeError} when the bytes are not UTF-8, where `URLSearchParams` would quietly replace them. */
export function decodeUtf8(bytes: Buffer): string {
  return UTF8.decode(bytes);
}

/**
 * Names and values of `application/x-www-form-urlencoded` (the WHATWG URL standard), in their order.
 *
 * @param text one character for each byte
 * @throws whatever `decode` throws
 */
export function readUrlencoded(text: string, decode: Decode): [name: string, value: string][] {
  const decodePart = (part: string): string => decode(percentDecode(part.replaceAll('+', ' ')));
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [decodePart(name), decodePart(rest.join('='))];
    });
}

function percentDecode(text: string): Buffer {
  const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}
