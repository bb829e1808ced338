/** Starts the page's scripts: colours, search, sign-in, and the operations to try. */
import { Account } from './account.js';
import { showExplorer } from './explorer.js';
import { startSearch } from './search.js';

/** The API's base URL, behind any proxies and path prefixes: this page is at `<base>docs`. */
const base = new URL('.', location.href);

followColours();
openContentsOnWideScreens();
fillInAddress();
startSearch();
const account = new Account(base);
void account.start();
await showExplorer(base, account);

/** Swagger UI has its dark colours under a class, and does not follow the system itself. */
function followColours() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', apply);
  apply();
}

function openContentsOnWideScreens() {
  const details = /** @type {HTMLDetailsElement} */ (document.getElementById('contents'));
  const wide = matchMedia('(min-width: 60rem)');
  const apply = () => {
    details.open = wide.matches;
  };
  wide.addEventListener('change', apply);
  apply();
  // On a phone it covers the page, so it closes when the reader has chosen something.
  details.addEventListener('click', ({ target }) => {
    if (!wide.matches && target instanceof Element && target.closest('a')) details.open = false;
  });
}

/** Puts the address of this server into the samples of the guides. */
function fillInAddress() {
  for (const code of document.querySelectorAll('main pre code')) {
    code.textContent = code.textContent.replaceAll('{server}', base.href.replace(/\/$/, ''));
  }
}
