/** Makes accessible what Swagger UI draws without a label, or out of reach of a keyboard. */

/** @type {[selector: string, attribute: string, value: (element: Element) => string][]} */
const MISSING = [
  ['[data-param-name] :is(input, select, textarea)', 'aria-label', parameterName],
  ['textarea.body-param__text', 'aria-label', () => 'Request body'],
  ['.examples-select-element', 'aria-label', () => 'Example'],
  ['select.content-type', 'aria-label', () => 'Media type'],
  ['pre', 'tabindex', () => '0'],
  // Swagger UI makes each table of responses a region of the page, and gives it no name.
  ['table[role="region"]', 'role', () => 'table'],
];

/**
 * Mends what Swagger UI draws, whenever it draws.
 *
 * @param {HTMLElement} explorer
 */
export function mend(explorer) {
  new MutationObserver(() => {
    for (const [selector, attribute, value] of MISSING) {
      for (const element of explorer.querySelectorAll(selector)) {
        const wanted = value(element);
        if (element.getAttribute(attribute) !== wanted) element.setAttribute(attribute, wanted);
      }
    }
  }).observe(explorer, { childList: true, subtree: true });
}

/** @param {Element} element */
function parameterName(element) {
  return element.closest('[data-param-name]')?.getAttribute('data-param-name') ?? '';
}
