/**
 * Whether a text contains another, whatever the case of letters and the normalization form of either. A pattern in the
 * database would know no forms, and could be made to take a time that grows with the product of both lengths.
 */

/** Upper case knows one form of what lower case has several of, such as the two small sigmas and the sharp s. */
export function folded(text: string): string {
  return text.normalize('NFD').toLowerCase().toUpperCase().normalize('NFC');
}

/**
 * In a time that grows with the length of the text alone (Knuth, Morris, Pratt): V8's own search can be made to compare the
 * whole part at every place.
 *
 * @param part not empty.
 */
export function containing(part: string): (text: string) => boolean {
  const wanted = folded(part);
  const borders = bordersOf(wanted);
  return (text) => {
    const all = folded(text);
    let matched = 0;
    for (let i = 0; i < all.length; i += 1) {
      while (matched > 0 && all[i] !== wanted[matched]) matched = borders[matched - 1] ?? 0;
      if (all[i] === wanted[matched]) matched += 1;
      if (matched === wanted.length) return true;
    }
    return false;
  };
}

/** For each beginning of the text: the length of its longest proper beginning that is also its end. */
function bordersOf(text: string): number[] {
  const borders = [0];
  let matched = 0;
  for (let i = 1; i < text.length; i += 1) {
    while (matched > 0 && text[i] !== text[matched]) matched = borders[matched - 1] ?? 0;
    if (text[i] === text[matched]) matched += 1;
    borders.push(matched);
  }
  return borders;
}
