/** What an operation looks like in the languages of those who call it. */
import type { ListedOperation } from './list.ts';

/** A request as an app would make it. `SERVER` stands for the address. */
interface Sample {
  method: string;
  url: string;
  isOpen: boolean;
  /** Text to send, with its media type. */
  body?: { type: string; text: string };
}

export const LANGUAGES = ['curl', 'JavaScript', 'Swift', 'Kotlin'] as const;
export type Language = (typeof LANGUAGES)[number];
export type Samples = Record<Language, string>;

/** Stands for this server's own address, which only the browser knows: proxies and path prefixes stand between. */
export const SERVER = '{server}';

export function samplesFor(listed: ListedOperation): Samples {
  const sample = sampleOf(listed);
  return { curl: curl(sample), JavaScript: javaScript(sample), Swift: swift(sample), Kotlin: kotlin(sample) };
}

function sampleOf({ method, path, operation, parameters }: ListedOperation): Sample {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((each) => each.in === 'path' && each.name === name);
    return typeof parameter?.example === 'string' ? encodeURIComponent(parameter.example) : name;
  });
  const body = jsonBody(operation.requestBody?.content['application/json']);
  return {
    method,
    url: `${SERVER}${filled}`,
    isOpen: operation.security?.length === 0,
    ...(body !== undefined && { body: { type: 'application/json', text: body } }),
  };
}

/** The first example, on one line with spaces, as people write it. */
function jsonBody(media: { examples?: object } | undefined): string | undefined {
  const [example] = Object.values(media?.examples ?? {}) as { value?: unknown }[];
  if (example?.value === undefined) return undefined;
  return JSON.stringify(example.value, null, 1)
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
