/** `npm run dev`: the development tenant in this process, the API in another, and what to paste next. */
import { runCommand } from './command.ts';

await runCommand(async () => {
  const { develop } = await import('./develop.ts');
  await develop();
});
