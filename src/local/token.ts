/** `npm run -s token`: prints an access token of the development tenant, alone on stdout. */
import { runCommand } from './command.ts';
import { parseTokenOptions, USAGE } from './tokenOptions.ts';

await runCommand(async () => {
  const options = parseTokenOptions(process.argv.slice(2));
  if (options === 'help') {
    // Not to stdout: TOKEN=$(npm run -s token -- --help) must not put a page of text into a header.
    process.stderr.write(USAGE);
    return;
  }
  const { createSigner, signAccessToken } = await import('./tenant/tokens.ts');
  const { dataDirectory } = await import('./directory.ts');
  const { loadTenantState } = await import('./tenant/state.ts');
  const state = await loadTenantState(dataDirectory(process.env).tenant);
  process.stdout.write(`${await signAccessToken(createSigner(state), options)}\n`);
}, USAGE);
