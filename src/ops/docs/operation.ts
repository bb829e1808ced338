/** One operation on the page: what it is for, what to send, what comes back. */
import type { Example, Parameter } from '../../http/schema.ts';
import type { MediaType, Reference, RequestBody, ResponseObject as Response } from '../openapi/types.ts';
import { html, marked, type Html } from './html.ts';
import type { ListedOperation } from './list.ts';

export function operationSection({ method, path, operation, parameters, responses }: ListedOperation): Html {
  const successes = responses.filter(([status]) => Number(status) < 400);
  const errors = responses.filter(([status]) => Number(status) >= 400);
  return html`<section>
    <h3 id="${operation.operationId}"><span class="method">${method}</span> <code>${path}</code></h3>
    <p>
      ${marked(operation.summary)}${operation.deprecated && html` <span class="soft">(for old clients alone)</span>`}
    </p>
    ${operation.description !== undefined && html`<p>${marked(operation.description)}</p>`} ${parameterList(parameters)}
    ${operation.requestBody && bodySection(operation.requestBody)}
    <h4>Answers</h4>
    <dl>${successes.map(successEntry)}</dl>
    <p>Errors: ${errors.map(errorEntry)}</p>
  </section> `;
}

function parameterList(parameters: Parameter[]): Html {
  if (parameters.length === 0) return html``;
  return html`<h4>Parameters</h4>
    <dl>
      ${parameters.map(
        ({ name, in: place, required, description, schema }) =>
          html`<dt>
              <code>${name}</code>
              <span class="soft">${place}${required === true && ', required'}${allowed(schema)}</span>
            </dt>
            <dd>${marked(description)}</dd> `,
      )}
    </dl>`;
}

/** What the value may be, in a few words. */
function allowed(schema: Parameter['schema']): string {
  const { minimum, maximum, default: absent } = schema as Record<string, number | string | undefined>;
  const choices = (schema['enum'] as string[] | undefined)?.join(', ');
  const range = minimum === undefined || maximum === undefined ? undefined : `${minimum} to ${maximum}`;
  const parts = [choices ?? range, absent === undefined ? undefined : `default ${absent}`];
  return parts.map((part) => (part === undefined ? '' : `; ${part}`)).join('');
}

function bodySection({ description, required, content }: RequestBody): Html {
  return html`<h4>Body <span class="soft">${required ? 'required' : 'optional'}</span></h4>
    <p>${marked(description)}</p>
    ${mediaTypes(content)}`;
}

function successEntry([status, { description, headers, content }]: [string, Response]): Html {
  const names = Object.keys(headers ?? {}).map((name) => html` <code>${name}</code>`);
  return html`<dt><strong>${status}</strong> ${marked(description)}</dt>
    <dd>
      ${names.length > 0 && html`<span class="soft">Headers:${names}</span>`} ${content && mediaTypes(content)}
    </dd> `;
}

function errorEntry([status, { description }]: [string, Response]): Html {
  const codes = [...description.matchAll(/`(\w+)`/g)].map(([, code = '']) => html` <a href="#${code}">${code}</a>`);
  return html`${status}${codes}. `;
}

function mediaTypes(content: Record<string, MediaType>): Html {
  return html`${Object.entries(content).map(
    ([type, { examples = {} }]) =>
      html`<p><code>${type}</code></p>
        ${Object.values(examples).map((example) => exampleBlock(type, example))}`,
  )}`;
}

function exampleBlock(type: string, example: Example | Reference): Html {
  if ('$ref' in example) return html``;
  const isForm = type === 'application/x-www-form-urlencoded';
  const text = isForm
    ? new URLSearchParams(example.value as Record<string, string>).toString()
    : JSON.stringify(example.value, null, 2);
  return html`<p class="soft">${example.summary}</p>
    <pre><code>${text}</code></pre> `;
}
