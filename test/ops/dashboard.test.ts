import assert from 'node:assert/strict';
import { test } from 'node:test';
import dashboard from '../../config/grafana-dashboard.json' with { type: 'json' };
import { startOps } from './support.ts';

const EXPRESSIONS = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? '' : query.query)),
];

test('every metric and label of the dashboard is one that the server exposes', async (t) => {
  const { url, metrics } = await startOps(t);
  metrics.countAuthentication('ok');
  metrics.observeKeyFetch('ok', 0.1);
  metrics.countThrottled('user');
  await fetch(`${url}/healthz`);

  const text = await metrics.text();

  const exposed = new Set(text.match(/^[a-z]\w*/gm));
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
  // Prometheus itself adds these to whatever it scrapes.
  for (const label of ['job', 'instance']) labels.add(label);
  const used = EXPRESSIONS.flatMap((expression) => expression.match(/\b[a-z]+(?:_[a-z0-9]+){1,}\b/g) ?? []);
  const metricsUsed = used.filter((name) => !['histogram_quantile', 'label_values'].includes(name));
  assert.ok(metricsUsed.length > 15);
  for (const name of metricsUsed) assert.ok(exposed.has(name), name);
  for (const label of labelsUsed()) assert.ok(labels.has(label), label);
});

test('everything that is measured of requests, tokens, keys and readiness has its panel', async (t) => {
  const { metrics } = await startOps(t);

  const names = [...(await metrics.text()).matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name);

  const own = names.filter((name) => !/^(process|nodejs)_/.test(name));
  for (const name of own) {
    assert.ok(
      EXPRESSIONS.some((expression) => expression.includes(name)),
      name,
    );
  }
});

test('panels have ids of their own and do not overlap', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w } }) =>
    Array.from({ length: w }, (_, i) => `${x + i}, ${y}`),
  );

  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(cells).size, cells.length);
});

function labelsUsed(): string[] {
  const grouped = EXPRESSIONS.flatMap((expression) =>
    [...expression.matchAll(/by \(([^)]*)\)/g)].map(([, by = '']) => by),
  );
  const matched = EXPRESSIONS.flatMap((expression) =>
    [...expression.matchAll(/[{,](\w+)=~?"/g)].map(([, name = '']) => name),
  );
  return [...grouped.flatMap((names) => names.split(', ')), ...matched];
}
