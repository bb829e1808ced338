import { DATA_DIRECTORY_VARIABLE } from './directory.ts';

export interface HintParts {
  /** The API's base URL. */
  url: string;
  /** DEV_DATA_DIR, if set: the token command in the other terminal needs it too. */
  dataDirectory: string | undefined;
}

/** A few lines to paste into a shell, and what they do. */
export type Sample = readonly [title: string, lines: readonly string[]];

/** What `npm run dev` prints once the API is ready: where everything is, and three commands. */
export function hints(parts: HintParts, tenantOrigin: string): string {
  const [[title, lines]] = samples(parts);
  return `
The API is ready at ${parts.url}: try it at ${parts.url}/docs
The tenant is at ${tenantOrigin}: see there how your app signs in, its certificate, and more to paste

${title}, in another terminal, in this folder:

${lines.map((line) => `  ${line}`).join('\n')}

For a token of another user, scope or lifetime: npm run -s token -- --help
Ctrl-C stops everything; your tasks stay.
`;
}

/**
 * Every command is one line and works as printed in any POSIX shell, from the project's folder, in this order. Without
 * comments: zsh does not accept them in pasted text.
 */
export function samples({ url, dataDirectory }: HintParts): [Sample, ...Sample[]] {
  const tasks = `${url}/api/tasks`;
  const me = '-H "Authorization: Bearer $TOKEN"';
  const json = "-H 'Content-Type: application/json'";
  const curl = "curl -w '\\n'";
  const token = `${dataDirectory === undefined ? '' : `${DATA_DIRECTORY_VARIABLE}=${quote(dataDirectory)} `}npm run -s token`;
  return [
    [
      'A token, a task, the list',
      [`TOKEN=$(${token})`, `${curl} ${tasks} ${me} ${json} -d '{"Text":"Buy milk"}'`, `${curl} ${tasks} ${me}`],
    ],
    [
      'The newest task by its id: get it, complete it, delete it',
      [
        `ID=$(curl -s '${tasks}?sort=-createdAt&limit=1' ${me} | sed 's/.*"_id":"\\([0-9a-f]*\\)".*/\\1/')`,
        `${curl} ${tasks}/$ID ${me}`,
        `${curl} -X PATCH ${tasks}/$ID ${me} ${json} -d '{"completed":true}'`,
        `${curl} -i -X DELETE ${tasks}/$ID ${me}`,
      ],
    ],
    [
      'Another user does not see your tasks',
      [`ALICE=$(${token} -- --oid alice)`, `${curl} ${tasks} -H "Authorization: Bearer $ALICE"`],
    ],
    [
      'What the original iOS app sends',
      [
        `${curl} ${url}/tasks ${me} ${json} -d '{"task":"Walk the dog"}'`,
        `${curl} ${url}/tasks ${me}`,
        `${curl} -i -X DELETE ${url}/tasks ${me} ${json} -d '{"task":"Walk the dog"}'`,
      ],
    ],
  ];
}

/** For a POSIX shell. */
export function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
