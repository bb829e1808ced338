/** The members of an object and their types, from its schema. */
import type { Schema } from '../../http/schema.ts';
import type { ApiDocument } from '../document.ts';
import { type Html, html, marked } from './html.ts';

/** Members of `Task`: those that `NewTask` also has may be sent; the others come only in answers. */
export function taskMembers({ components: { schemas } }: ApiDocument): Html {
  const writable = propertiesOf(schemas['NewTask']);
  const members = Object.entries(propertiesOf(schemas['Task']));
  return html`<dl class="entries">
    ${members.map(
      ([name, schema]) =>
        html`<dt id="member-${name}">
            <code>${name}</code>
            <span class="soft"
              >${typeOf(withItems(schemas, writable[name] ?? schema))}${name in writable ? '' : '; in answers'}</span
            >
          </dt>
          <dd>${marked(((writable[name] ?? schema)['description'] ?? '') as string)}</dd> `,
    )}
  </dl>`;
}

function propertiesOf(schema: Schema | undefined): Record<string, Schema> {
  return (schema?.['properties'] ?? {}) as Record<string, Schema>;
}

/** The schema with its items in place of a reference to them. */
function withItems(schemas: Record<string, Schema>, schema: Schema): Schema {
  const { $ref } = (schema['items'] ?? {}) as { $ref?: string };
  return $ref === undefined ? schema : { ...schema, items: schemas[$ref.split('/').at(-1) ?? ''] };
}

/** "string, 1 to 4,096 characters", "array of at most 20: string, 1 to 64 characters". */
export function typeOf(schema: Schema): string {
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  const known = [schema['type'] ?? []].flat() as string[];
  const type = known.length > 0 || alternatives === undefined ? known.join(' or ') : undefined;
  const choices = (schema['enum'] as unknown[] | undefined)?.map((value) => JSON.stringify(value)).join(', ');
  const items = schema['items'] as Schema | undefined;
  const parts = [
    choices === undefined ? (type ?? alternatives?.map(typeOf).join(' or ')) : `one of ${choices}`,
    schema['format'] as string | undefined,
    between(schema['minLength'], schema['maxLength'], 'characters'),
    between(schema['minItems'], schema['maxItems'], 'items'),
    between(schema['minimum'], schema['maximum'], ''),
    schema['default'] === undefined ? undefined : `default ${JSON.stringify(schema['default'])}`,
    items && itemsOf(items),
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

function itemsOf(items: Schema): string {
  const members = Object.entries(propertiesOf(items)).map(([name, schema]) => `${name} (${typeOf(schema)})`);
  return `each ${members.length > 0 ? `with ${members.join(' and ')}` : typeOf(items)}`;
}

function between(least: unknown, most: unknown, unit: string): string | undefined {
  if (typeof most !== 'number') return undefined;
  const range = `${typeof least === 'number' && least > 0 ? `${least} to` : 'up to'} ${most.toLocaleString('en-US')}`;
  return unit === '' ? range : `${range} ${unit}`;
}
