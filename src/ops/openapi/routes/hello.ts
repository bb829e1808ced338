import { answer, example, headOf, json, schema, signedInOperation as operation } from '../build.ts';
import type { PathItem } from '../types.ts';

const get = operation({
  id: 'GetHello',
  tag: 'Hello',
  summary: 'Your name, from the token',
  description: 'What Microsoft’s MSAL samples for iOS and Android call first. Empty when the token has no name.',
  answers: { 200: answer('Your name', json(schema('Caller'), { name: example('A name', { name: 'Alice' }) })) },
});

export const helloPaths: Record<string, PathItem> = { '/hello': { get, head: headOf(get, 'HeadHello') } };
