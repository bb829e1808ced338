/** `npm run doctor`: explains why this configuration accepts or refuses a token. */
import { TenantClient } from '../auth/tenantClient.ts';
import { UsageError } from '../commandLine.ts';
import { type Config, ConfigError, loadConfig } from '../config.ts';
import { loadEnvFile } from '../envFile.ts';
import { cleanToken, parseArguments, type Request, USAGE } from './arguments.ts';
import { isWrong, renderPage, type Section, verdictOf } from './page.ts';
import { examineTenants } from './tenant.ts';
import { examineToken } from './token.ts';

const ACCEPTED = 0;
const REFUSED = 1;
const NOT_UNDERSTOOD = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  try {
    const request = parseArguments(args);
    if (request === 'help') {
      process.stdout.write(USAGE);
      return ACCEPTED;
    }
    const token = request.token ?? (await readStdin());
    const config = await readConfig(request.isForDevelopment);
    const code = await examine(config, token === '' ? undefined : token, request);
    if (code === REFUSED) await hintAtDevelopment(request);
    return code;
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof UsageError)) throw error;
    process.stderr.write(`doctor: ${error.message}\n`);
    if (error instanceof ConfigError) {
      await hintAtDevelopment(parseArguments(args));
      return REFUSED;
    }
    process.stderr.write(`\n${USAGE}`);
    return NOT_UNDERSTOOD;
  }
}

/** Reads the configuration as the server does. The doctor does not need the store. */
async function readConfig(isForDevelopment: boolean): Promise<Config> {
  if (isForDevelopment) {
    const { developmentSettings } = await import('../local/index.ts');
    Object.assign(process.env, await developmentSettings(process.env));
  }
  loadEnvFile(process.env);
  process.env['NODE_ENV'] ??= 'production';
  return loadConfig({ ...process.env, MONGODB_URI: 'mongodb://not.asked.invalid/' });
}

/** If the development tenant is running, the token is most likely one of its own. */
async function hintAtDevelopment(request: Request | 'help'): Promise<void> {
  if (request === 'help' || request.isForDevelopment) return;
  const { isDevelopmentRunning } = await import('../local/index.ts');
  if (await isDevelopmentRunning(process.env)) {
    process.stdout.write('\n`npm run dev` is running here. For its tokens: npm run doctor -- --dev\n');
  }
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) return '';
  const chunks = (await process.stdin.toArray()) as Buffer[];
  return cleanToken(Buffer.concat(chunks).toString());
}

async function examine(config: Config, token: string | undefined, { isVerbose }: Request): Promise<number> {
  const client = new TenantClient();
  const options = { config, clock: Date, client };
  const tenants = await examineTenants(options);
  await client.close();
  const tokenLines = token === undefined ? undefined : examineToken(token, { ...options, tenants });
  const sections: Section[] = tenants.map(({ section }) => section);
  const tenantLines = sections.flatMap(({ lines }) => lines);
  const verdict = verdictOf(sections, tokenLines);
  if (tokenLines !== undefined) sections.push({ title: 'The token', lines: tokenLines });
  process.stdout.write(renderPage(sections, verdict, { isVerbose }));
  const decisive = tokenLines ?? tenantLines;
  return decisive.some((line) => isWrong(line) || line.verdict === 'skipped') ? REFUSED : ACCEPTED;
}
