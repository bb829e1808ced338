import { answer, example, headOf, json, schema, signedInOperation as operation } from '../build.ts';
import { TASK } from '../examples.ts';
import type { PathItem } from '../types.ts';

const get = operation({
  id: 'ListChanges',
  tag: 'Sync',
  summary: 'What changed since the last time',
  description:
    'Keep `next` and send it as `since` the next time. While `more` is true there is more at once. No change is ' +
    'missed; one may come twice. Without `since` comes everything there is now, and nothing that was removed before: ' +
    'begin with nothing. A task that is in `removed` is gone, whatever came before.',
  parameters: ['Since', 'ChangesLimit'],
  answers: {
    200: answer(
      'What changed',
      json(schema('Changes'), {
        changes: example('One task is new, another gone', {
          changed: [TASK],
          removed: ['6742d0c4e1a2b3c4d5e6f700'],
          next: 'WzEsMTc5NTUxNjIwMDAwMCwicTNZazB2VDFhWGJNIiw3LCIiLDNd',
          more: false,
        }),
      }),
    ),
  },
  problems: ['InvalidQuery', 'SyncTokenExpired'],
});

export const changesPaths: Record<string, PathItem> = {
  '/api/tasks/changes': { get, head: headOf(get, 'HeadChanges') },
};
