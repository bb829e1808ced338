/** What the page adds to each operation: samples, in the language that the reader chose last, and the codes of its errors. */

/** @typedef {Record<string, { samples: Record<string, string>, errors: [status: string, codes: string[]][] }>} Notes by `METHOD path` */

const LANGUAGE = 'tasks-api:language';
const chosen = new EventTarget();

/**
 * @param {Notes} notes
 * @param {string} server address, without a slash at its end
 * @returns {(system: System) => Component}
 */
export function createSamples(notes, server) {
  return ({ React }) =>
    function Samples({ pathMethod }) {
      const [language, setLanguage] = React.useState(localStorage.getItem(LANGUAGE) ?? 'curl');
      const [isCopied, setCopied] = React.useState(false);
      React.useEffect(() => {
        const follow = () => {
          setLanguage(localStorage.getItem(LANGUAGE) ?? 'curl');
          setCopied(false);
        };
        chosen.addEventListener('change', follow);
        return () => {
          chosen.removeEventListener('change', follow);
        };
      }, []);
      const [path, method] = /** @type {[string, string]} */ (pathMethod);
      const own = notesOf(notes, path, method)?.samples;
      if (own === undefined) return null;
      const text = (own[language] ?? Object.values(own)[0] ?? '').replaceAll('{server}', server);
      const copy = async () => {
        await navigator.clipboard.writeText(text);
        setCopied(true);
      };
      return React.createElement(
        'div',
        { className: 'samples' },
        React.createElement(
          'div',
          { className: 'languages', role: 'group', 'aria-label': 'Language of the sample' },
          ...Object.keys(own).map((name) =>
            React.createElement(
              'button',
              { type: 'button', key: name, 'aria-pressed': name === language, onClick: choose.bind(null, name) },
              name,
            ),
          ),
          React.createElement(
            'button',
            { type: 'button', className: 'copy', onClick: copy },
            isCopied ? 'Copied' : 'Copy',
          ),
        ),
        React.createElement('pre', { tabIndex: 0 }, React.createElement('code', null, text)),
      );
    };
}

/** @param {string} language */
function choose(language) {
  localStorage.setItem(LANGUAGE, language);
  chosen.dispatchEvent(new Event('change'));
}

/**
 * @param {Notes} notes
 * @returns {(system: System) => Component}
 */
export function createErrors(notes) {
  return ({ React }) =>
    function Errors({ path, method }) {
      const own = notesOf(notes, String(path), String(method))?.errors ?? [];
      return React.createElement(
        'div',
        { className: 'errors-of' },
        React.createElement('h4', null, 'Errors'),
        React.createElement(
          'ul',
          null,
          ...own.map(([status, codes]) =>
            React.createElement(
              'li',
              { key: status },
              `${status} `,
              ...codes.map((code) => React.createElement('a', { key: code, href: `#${code}` }, code)),
            ),
          ),
        ),
      );
    };
}

/**
 * @param {Notes} notes
 * @param {string} path
 * @param {string} method
 */
function notesOf(notes, path, method) {
  return notes[`${method.toUpperCase()} ${path}`];
}
