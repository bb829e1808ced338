import { ok } from './http/answer.ts';
import type { Guard, Operation } from './http/operation.ts';
import { answer, example, schema } from './http/schema.ts';

const caller = schema('Caller', { type: 'object', required: ['name'], properties: { name: { type: 'string' } } });

/** What Microsoft's MSAL samples for iOS and Android call first. They need `name` to be a string. */
export function helloOperations(toRead: Guard): Operation[] {
  return [
    {
      name: 'GetHello',
      method: 'GET',
      path: '/hello',
      guard: toRead,
      tag: 'Hello',
      summary: 'Your name, from the token',
      description: 'What Microsoft’s MSAL samples for iOS and Android call first. Empty when the token has no name.',
      answers: { 200: answer('Your name', caller, { name: example('A name', { name: 'Alice' }) }) },
      handle: ({ caller }) => ok({ name: caller.name ?? '' }),
    },
  ];
}
