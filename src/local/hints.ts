import { DATA_DIRECTORY_VARIABLE } from './directory.ts';

export interface HintParts {
  /** The API's base URL. */
  url: string;
  tenantOrigin: string;
  clientId: string;
  /** DEV_DATA_DIR, when it is set: the token command in the other terminal needs it too. */
  dataDirectory: string | undefined;
}

/**
 * What `npm run dev` prints once the API is ready. Every command is one line and works as printed in any POSIX shell, from
 * the project's folder, in this order. No comments among them: zsh does not take any when one pastes.
 */
export function hints(parts: HintParts): string {
  const { url, tenantOrigin, clientId } = parts;
  const blocks = commands(parts).map(
    ([title, lines]) => `${title}\n\n${lines.map((line) => `  ${line}`).join('\n')}\n`,
  );
  return `
The API is ready at ${url}: its routes are at ${url}/, their description at ${url}/docs.
Sign-in for an app on this machine: ${tenantOrigin}, client id ${clientId}.
Paste these into another terminal, in this folder. Ctrl-C here stops everything; your tasks stay.

${blocks.join('\n')}`;
}

/** The commands, in blocks that can be pasted. */
export function commands({ url, dataDirectory }: HintParts): [title: string, lines: string[]][] {
  const tasks = `${url}/api/tasks`;
  const me = '-H "Authorization: Bearer $TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  const curl = "curl -w '\\n'";
  const token = `${dataDirectory === undefined ? '' : `${DATA_DIRECTORY_VARIABLE}=${quote(dataDirectory)} `}npm run -s token`;
  return [
    [
      'A token, a task, the list:',
      [`TOKEN=$(${token})`, `${curl} ${tasks} ${me} ${json} -d '{"Text":"Buy milk"}'`, `${curl} ${tasks} ${me}`],
    ],
    [
      'The newest task by its id: get it, complete it, delete it:',
      [
        `ID=$(curl -s '${tasks}?sort=-createdAt&limit=1' ${me} | sed 's/.*"_id":"\\([0-9a-f]*\\)".*/\\1/')`,
        `${curl} ${tasks}/$ID ${me}`,
        `${curl} -X PATCH ${tasks}/$ID ${me} ${json} -d '{"completed":true}'`,
        `${curl} -i -X DELETE ${tasks}/$ID ${me}`,
      ],
    ],
    [
      'Another user sees nothing of it:',
      [`ALICE=$(${token} -- --oid alice)`, `${curl} ${tasks} -H "Authorization: Bearer $ALICE"`],
    ],
    [
      'What the original iOS app sends:',
      [
        `${curl} ${url}/tasks ${me} ${json} -d '{"task":"Walk the dog"}'`,
        `${curl} ${url}/tasks ${me}`,
        `${curl} -i -X DELETE ${url}/tasks ${me} ${json} -d '{"task":"Walk the dog"}'`,
      ],
    ],
  ];
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
