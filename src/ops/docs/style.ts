/** The look of the page: one column that fits a phone, and the colours that the reader's system has. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --accent: light-dark(#0b57d0, #8ab4f8); }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2rem 0 .5rem; }
h3 { border-top: 1px solid var(--line); padding-top: 1rem; }
h4 { font-size: 1rem; margin-top: 1rem; }
a { color: var(--accent); }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
code { background: var(--soft); border-radius: .2rem; padding: 0 .2rem; }
pre { background: var(--soft); border-radius: .4rem; padding: .75rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
dt { margin-top: .5rem; }
dd { margin-left: 1rem; }
nav ul { list-style: none; padding: 0; }
nav li { padding: .25rem 0; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; color: var(--accent); }
.soft { opacity: .75; }
`;
