/** What the page adds to each operation in Swagger UI: samples in the languages of its clients, and its errors. */
import type { Operation } from '../../http/operation.ts';
import { documentedPath, parametersOf, problemsOf } from '../document.ts';

/** By `METHOD path`. */
export function notesOn(operations: readonly Operation[]): object {
  return Object.fromEntries(
    operations.map((operation) => [
      `${operation.method} ${documentedPath(operation)}`,
      { samples: samplesFor(operation), errors: errorsOf(operation) },
    ]),
  );
}

/** The codes of each status. */
function errorsOf(operation: Operation): [status: string, codes: string[]][] {
  return [...problemsOf(operation)].map(([status, these]) => [
    String(status),
    these.map(({ example }) => example.code),
  ]);
}

/** A request as an app would make it. `SERVER` stands for the address. */
interface Sample {
  method: string;
  url: string;
  isOpen: boolean;
  /** Text to send, with its media type. */
  body?: { type: string; text: string };
}

/** Stands for this server's address, which only the browser knows because of proxies and path prefixes. */
export const SERVER = '{server}';

export function samplesFor(operation: Operation) {
  const sample = sampleOf(operation);
  return { curl: curl(sample), JavaScript: javaScript(sample), Swift: swift(sample), Kotlin: kotlin(sample) };
}

function sampleOf(operation: Operation): Sample {
  const parameters = parametersOf(operation).map(({ value }) => value);
  const filled = documentedPath(operation).replace(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example;
    return typeof example === 'string' ? encodeURIComponent(example) : name;
  });
  const type = 'application/json';
  const [example] = Object.values(operation.body?.content[type]?.examples ?? {});
  return {
    method: operation.method,
    url: `${SERVER}${filled}`,
    isOpen: !operation.guard.needsToken,
    ...(example !== undefined && { body: { type, text: written(example.value) } }),
  };
}

/** On one line with spaces, as people write it. */
function written(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/([{[]) /g, '$1')
    .replace(/ ([}\]])/g, '$1');
}

function curl({ method, url, isOpen, body }: Sample): string {
  const isImplied = method === (body === undefined ? 'GET' : 'POST');
  return [
    `curl ${isImplied ? '' : `-X ${method} `}"${url}"`,
    ...(isOpen ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(body === undefined ? [] : [`-H "Content-Type: ${body.type}"`, `-d '${body.text.replaceAll("'", "'\\''")}'`]),
  ].join(' \\\n  ');
}

function javaScript({ method, url, isOpen, body }: Sample): string {
  const headers = [
    ...(isOpen ? [] : ['Authorization: `Bearer ${token}`']),
    ...(body === undefined ? [] : [`'Content-Type': '${body.type}'`]),
  ];
  const options = [
    ...(method === 'GET' ? [] : [`method: '${method}'`]),
    ...(headers.length === 0 ? [] : [`headers: { ${headers.join(', ')} }`]),
    ...(body === undefined ? [] : [`body: JSON.stringify(${body.text})`]),
  ];
  const given = options.length === 0 ? '' : `, {\n${options.map((line) => `  ${line},\n`).join('')}}`;
  return [
    `const response = await fetch('${url}'${given});`,
    'if (!response.ok) throw new Error((await response.json()).message);',
    ...(method === 'DELETE' ? [] : ['console.log(await response.text());']),
  ].join('\n');
}

function swift({ method, url, isOpen, body }: Sample): string {
  return [
    `var request = URLRequest(url: URL(string: "${url}")!)`,
    ...(method === 'GET' ? [] : [`request.httpMethod = "${method}"`]),
    ...(isOpen ? [] : ['request.setValue("Bearer \\(token)", forHTTPHeaderField: "Authorization")']),
    ...(body === undefined
      ? []
      : [
          `request.setValue("${body.type}", forHTTPHeaderField: "Content-Type")`,
          `request.httpBody = Data(#"${body.text}"#.utf8)`,
        ]),
    'let (data, response) = try await URLSession.shared.data(for: request)',
    'print((response as! HTTPURLResponse).statusCode, String(decoding: data, as: UTF8.self))',
  ].join('\n');
}

/** With OkHttp, which almost every Android app has. */
function kotlin({ method, url, isOpen, body }: Sample): string {
  const content =
    body && `"""${body.text.replaceAll('$', () => "${'$'}")}""".toRequestBody("${body.type}".toMediaType())`;
  return [
    'val request = Request.Builder()',
    `    .url("${url}")`,
    ...(isOpen ? [] : ['    .header("Authorization", "Bearer $token")']),
    ...(method === 'GET' ? [] : [`    .method("${method}", ${content ?? 'null'})`]),
    '    .build()',
    'OkHttpClient().newCall(request).execute().use { response ->',
    '    println("${response.code} ${response.body.string()}")',
    '}',
  ].join('\n');
}
