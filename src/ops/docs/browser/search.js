/** Finds sections, members, codes and operations by any of their words. */

/** @typedef {{ link: HTMLAnchorElement, words: string }} Entry */

export function startSearch() {
  const form = /** @type {HTMLFormElement} */ (document.getElementById('search'));
  const query = /** @type {HTMLInputElement} */ (document.getElementById('query'));
  const entries = [...indexEntries(), ...pageEntries()];
  query.addEventListener('input', () => {
    show(entries, query.value);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    /** @type {HTMLAnchorElement | null} */ (document.querySelector('#results a'))?.click();
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select');
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    query.focus();
  });
}

/** Guides, with everything they say, and operations. */
function indexEntries() {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('#index a'));
  return [...links].map((link) => {
    const id = link.hash.slice(1);
    const guide = id.startsWith('/') ? null : document.getElementById(id)?.closest('section');
    return entry(link, `${link.dataset['search'] ?? ''} ${guide?.textContent ?? ''}`);
  });
}

/** Members of a task and codes of errors. */
function pageEntries() {
  return [...document.querySelectorAll('main dt[id]')].map((term) => {
    const link = document.createElement('a');
    link.href = `#${term.id}`;
    link.textContent = term.querySelector('code')?.textContent ?? term.id;
    return entry(link, `${term.textContent} ${term.nextElementSibling?.textContent ?? ''}`);
  });
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string} more
 * @returns {Entry}
 */
function entry(link, more) {
  return { link, words: `${link.textContent} ${more}`.toLowerCase() };
}

/**
 * @param {Entry[]} entries
 * @param {string} query
 */
function show(entries, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 ? [] : entries.filter((entry) => words.every((word) => entry.words.includes(word)));
  // Names that have the words come before texts that only mention them.
  const isNamed = (/** @type {Entry} */ { link }) =>
    words.every((word) => link.textContent.toLowerCase().includes(word));
  const ordered = [...found.filter(isNamed), ...found.filter((entry) => !isNamed(entry))];
  const items = ordered.map(({ link }) => {
    const item = document.createElement('li');
    item.append(link.cloneNode(true));
    return item;
  });
  element('results').replaceChildren(...items);
  element('results').hidden = words.length === 0;
  element('index').hidden = words.length > 0;
  element('found').textContent = words.length === 0 ? '' : `${found.length} found`;
}

/** @param {string} id */
function element(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
