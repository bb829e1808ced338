/** `npm run -s token`: prints an access token of the development tenant, alone on stdout. */
import { runCommand } from './command.ts';

await runCommand(async () => {
  const { parseTokenOptions, USAGE } = await import('./tokenOptions.ts');
  const options = parseTokenOptions(process.argv.slice(2));
  if (options === 'help') {
    // Not to stdout: TOKEN=$(npm run -s token -- --help) must not put a page of text into a header.
    process.stderr.write(USAGE);
    return;
  }
  const { createIssuer, signAccessToken } = await import('./tenant/accessToken.ts');
  const { dataDirectory } = await import('./directory.ts');
  const { loadTenantState } = await import('./state.ts');
  const state = await loadTenantState(dataDirectory(process.env).tenant);
  process.stdout.write(`${await signAccessToken(await createIssuer(state), options)}\n`);
});
